"""Use case: change who takes part in a group."""

from collections.abc import Callable, Collection, Sequence

from chat4all_core.app.announce_membership import AnnounceMembership
from chat4all_core.app.require_conversation import require_conversation
from chat4all_core.app.require_participants import require_participants
from chat4all_core.domain.channel import Capabilities, channel_address_of, users_among
from chat4all_core.domain.conversation import (
    MAX_PARTICIPANTS,
    Conversation,
    ConversationType,
    MembershipChange,
    Participation,
    Role,
)
from chat4all_core.domain.errors import (
    AbortedError,
    FailedPreconditionError,
    NotFoundError,
    PermissionDeniedError,
    Reason,
    invalid_field,
)
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.message_store import MessageStore
from chat4all_core.ports.user_store import UserStore

_TRIES = 5
"""Of a change that others overtake. Each failed try is somebody else's success, so a few are enough."""

Decide = Callable[[Conversation], MembershipChange | None]
"""From the present conversation: the change to make, or None when there is nothing to change."""


class ChangeParticipants:
    """Adds and removes people, and sets their roles."""

    def __init__(
        self,
        *,
        conversations: ConversationStore,
        messages: MessageStore,
        users: UserStore,
        channels: Collection[Capabilities],
        announce: AnnounceMembership,
    ) -> None:
        self._conversations = conversations
        self._messages = messages
        self._users = users
        self._channels = channels
        self._announce = announce

    async def add(self, caller: UserId, conversation_id: str, participants: Sequence[str]) -> Conversation:
        """Add people as members; those who take part already are left as they are.

        Raises:
            InvalidArgumentError, NotFoundError, PermissionDeniedError, FailedPreconditionError, AbortedError.
        """
        if not participants:
            raise invalid_field("participants", "must name at least one person")
        await require_conversation(self._conversations, conversation_id, caller)
        named = await require_participants(self._users, self._channels, participants)
        joined_sequence = await self._messages.last_sequence(ConversationId(conversation_id))

        def decide(conversation: Conversation) -> MembershipChange | None:
            _require_admin(conversation, caller)
            new = [p for p in named if conversation.participation_of(p) is None]
            if len(conversation.participants) + len(new) > MAX_PARTICIPANTS:
                raise FailedPreconditionError(
                    Reason.TOO_MANY_PARTICIPANTS,
                    f"a conversation has at most {MAX_PARTICIPANTS} participants",
                )
            return MembershipChange(added=new, joined_sequence=joined_sequence) if new else None

        return await self._change(caller, conversation_id, decide)

    async def remove(self, caller: UserId, conversation_id: str, participant: str) -> None:
        """Remove someone: admins anyone but the creator, everyone else themselves.

        Raises:
            NotFoundError, PermissionDeniedError, FailedPreconditionError, AbortedError.
        """

        def decide(conversation: Conversation) -> MembershipChange:
            if participant != caller:
                _require_admin(conversation, caller)
            found = _require_changeable(conversation, participant)
            return MembershipChange(removed=[found.participant])

        await self._change(caller, conversation_id, decide)

    async def set_role(self, caller: UserId, conversation_id: str, participant: str, role: Role) -> Conversation:
        """Set what a participant may do.

        Raises:
            InvalidArgumentError, NotFoundError, PermissionDeniedError, FailedPreconditionError, AbortedError.
        """

        def decide(conversation: Conversation) -> MembershipChange | None:
            _require_admin(conversation, caller)
            found = _require_changeable(conversation, participant)
            if channel_address_of(found.participant) is not None:
                raise invalid_field("participant", "must be a user: an address on a channel stays a MEMBER")
            return None if found.role is role else MembershipChange(role=(found.participant, role))

        return await self._change(caller, conversation_id, decide)

    async def _change(self, caller: UserId, conversation_id: str, decide: Decide) -> Conversation:
        conversation = await require_conversation(self._conversations, conversation_id, caller)
        for _ in range(_TRIES):
            if conversation.type is ConversationType.DIRECT:
                raise FailedPreconditionError(
                    Reason.DIRECT_IS_FIXED, "the members of a DIRECT conversation can't change"
                )
            change = decide(conversation)
            if change is None:
                return conversation
            changed = await self._conversations.change_membership(
                conversation.conversation_id, conversation.version, change
            )
            if changed is not None:
                await self._announce(changed, users_among(change.added))
                return changed
            latest = await self._conversations.get(conversation.conversation_id, conversation.version + 1)
            if latest is not None:
                conversation = latest
            conversation.require_participant(caller)
        raise AbortedError(
            Reason.CONVERSATION_CHANGED,
            "others changed the conversation at the same moment; try again",
            {"conversation_id": conversation_id},
        )


def _require_admin(conversation: Conversation, caller: UserId) -> None:
    if conversation.require_participant(caller).role is not Role.ADMIN:
        raise PermissionDeniedError(Reason.NOT_AN_ADMIN, "only an admin of the conversation may do this")


def _require_changeable(conversation: Conversation, participant: str) -> Participation:
    found = conversation.participation_of(ParticipantId(participant))
    if found is None:
        raise NotFoundError(
            Reason.PARTICIPANT_NOT_FOUND,
            "that person does not take part in the conversation",
            {"participant": participant},
        )
    if participant == conversation.creator:
        raise FailedPreconditionError(Reason.CREATOR_PROTECTED, "the creator can't be removed or made a plain member")
    return found
