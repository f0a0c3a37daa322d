"""Where what a person writes on a channel belongs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chat4all_core.app.announce_membership import AnnounceMembership
from chat4all_core.domain.channel import AccountId, ChannelAddress, users_among
from chat4all_core.domain.conversation import Conversation, ConversationType, Participation, Role
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId, name_based_uuid
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.contact_store import ContactStore
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.identity_store import IdentityStore
from chat4all_core.ports.user_store import UserStore

_CONVERSATIONS_OF_ONE = 100
"""That are made for one person, each after they were removed from the one before."""


class NobodyToReadError(Exception):
    """No user is there to get what a stranger wrote."""


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation, and as whom the person takes part in it."""

    conversation: Conversation
    sender: ParticipantId


class FindPlace:
    """Finds the conversation, or makes one for a stranger."""

    def __init__(
        self,
        *,
        conversations: ConversationStore,
        contacts: ContactStore,
        identities: IdentityStore,
        users: UserStore,
        announce: AnnounceMembership,
        inbox_of: Callable[[AccountId], Sequence[str]],
        clock: Clock,
    ) -> None:
        """`inbox_of`: the usernames of those who get what strangers write to an account."""
        self._conversations = conversations
        self._contacts = contacts
        self._identities = identities
        self._users = users
        self._announce = announce
        self._inbox_of = inbox_of
        self._clock = clock

    async def __call__(
        self, account: AccountId, person: ChannelAddress, name: str, answered: ConversationId | None
    ) -> Place:
        """The conversation of the message that is answered, or the one in which the person was last written to, or
        one that is made.

        Raises:
            NobodyToReadError: a stranger wrote, and the account has no inbox.
            UnavailableError: an engine can't be had now.
        """
        contact = await self._contacts.get(person)
        owner = await self._identities.owner(person)
        for conversation_id in (answered, contact.conversation_id if contact else None):
            if conversation_id:
                place = await self._in(conversation_id, person, owner)
                if place is not None:
                    return place
        place = await self._made_for(account, person, name, owner)
        await self._contacts.set_conversation(person, place.conversation.conversation_id)
        return place

    async def _in(self, conversation_id: ConversationId, person: ChannelAddress, owner: UserId | None) -> Place | None:
        conversation = await self._conversations.get(conversation_id)
        for sender in (person.participant, owner):
            if conversation and sender and conversation.participation_of(sender):
                return Place(conversation, sender)
        return None

    async def _made_for(self, account: AccountId, person: ChannelAddress, name: str, owner: UserId | None) -> Place:
        sender = owner or person.participant
        readers = [user for user in await self._inbox(account) if user != sender]
        if not readers:
            raise NobodyToReadError(
                f"{person.participant} wrote to account {account}, whose inbox names nobody else who exists"
            )
        for number in range(_CONVERSATIONS_OF_ONE):
            place = await self._numbered(number, account, person, name, readers, sender)
            if place is not None:
                return place
        raise NobodyToReadError(f"{person.participant} was removed from {_CONVERSATIONS_OF_ONE} conversations")

    async def _numbered(
        self,
        number: int,
        account: AccountId,
        person: ChannelAddress,
        name: str,
        readers: Sequence[UserId],
        sender: ParticipantId,
    ) -> Place | None:
        """The conversation of this number, made if need be; None when the person was removed from it."""
        conversation_id = ConversationId(name_based_uuid("inbox", person.channel, account, person.address, str(number)))
        stored = await self._conversations.get(conversation_id)
        if stored is None:
            roles: dict[ParticipantId, Role] = {**dict.fromkeys(readers, Role.ADMIN), sender: Role.MEMBER}
            new = Conversation(
                conversation_id=conversation_id,
                type=ConversationType.GROUP,
                title=name or person.participant,
                creator=readers[0],
                created_at=self._clock(),
                version=1,
                participations=tuple(Participation(p, role, 1, None, 0) for p, role in sorted(roles.items())),
            )
            stored = await self._conversations.create(new)
            # Also where another was quicker: it may have come no further than this.
            await self._announce(stored, users_among([p.participant for p in stored.participants]))
        return Place(stored, sender) if stored.participation_of(sender) else None

    async def _inbox(self, account: AccountId) -> Sequence[UserId]:
        found = [await self._users.find(username) for username in self._inbox_of(account)]
        return [user.user_id for user, _ in filter(None, found)]
