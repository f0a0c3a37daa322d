"""Use case: make a conversation."""

from collections.abc import Callable, Collection, Sequence

from chat4all_core.app.announce_membership import AnnounceMembership
from chat4all_core.app.require_participants import require_participants
from chat4all_core.domain.channel import Capabilities, users_among
from chat4all_core.domain.conversation import (
    MAX_PARTICIPANTS,
    Conversation,
    ConversationType,
    Participation,
    Role,
    check_title,
)
from chat4all_core.domain.errors import invalid_field
from chat4all_core.domain.ids import (
    ConversationId,
    ParticipantId,
    UserId,
    conversation_id_for,
    direct_conversation_id,
    parse_request_id,
)
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.user_store import UserStore


class CreateConversation:
    """Makes conversations."""

    def __init__(
        self,
        *,
        conversations: ConversationStore,
        users: UserStore,
        channels: Collection[Capabilities],
        announce: AnnounceMembership,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._conversations = conversations
        self._users = users
        self._channels = channels
        self._announce = announce
        self._clock = clock
        self._new_id = new_id

    async def __call__(
        self,
        creator: UserId,
        conversation_type: ConversationType,
        participants: Sequence[str],
        title: str,
        request_id: str,
    ) -> Conversation:
        """Make a conversation, or return the one that the pair or the request id names already.

        Raises:
            InvalidArgumentError: a field is wrong.
            NotFoundError: USER_NOT_FOUND.
        """
        check_title(title)
        request = parse_request_id(request_id)
        others = await require_participants(self._users, self._channels, [p for p in participants if p != creator])
        if conversation_type is ConversationType.DIRECT:
            if len(others) != 1:
                raise invalid_field("participants", "a DIRECT conversation names exactly one other person")
            conversation_id = direct_conversation_id(creator, others[0])
        else:
            if len(others) >= MAX_PARTICIPANTS:
                raise invalid_field(
                    "participants",
                    f"a conversation has at most {MAX_PARTICIPANTS} people, the creator included",
                )
            conversation_id = conversation_id_for(creator, request) if request else ConversationId(self._new_id())
        new = self._conversation(conversation_id, conversation_type, title, creator, others)
        stored = await self._conversations.create(new)
        members = users_among(p.participant for p in stored.participants)
        # A retry may follow a crash between the store and the announcement, so it announces again; for a
        # DIRECT one, asking for it is how clients look it up, so only its first creation is announced.
        if stored == new or (request and conversation_type is ConversationType.GROUP):
            await self._announce(stored, members)
        else:
            await self._announce.introduce(stored, members)
        return stored

    def _conversation(
        self,
        conversation_id: ConversationId,
        conversation_type: ConversationType,
        title: str,
        creator: UserId,
        others: Sequence[ParticipantId],
    ) -> Conversation:
        direct = conversation_type is ConversationType.DIRECT
        roles = dict.fromkeys(others, Role.MEMBER)
        roles[creator] = Role.MEMBER if direct else Role.ADMIN
        return Conversation(
            conversation_id=conversation_id,
            type=conversation_type,
            title=title,
            creator=creator,
            created_at=self._clock(),
            version=1,
            participations=tuple(Participation(user, role, 1, None, 0) for user, role in sorted(roles.items())),
        )
