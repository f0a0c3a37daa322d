"""Who takes part in a conversation, as the router needs it for every message."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from chat4all_core.domain.channel import ChannelAddress, channel_address_of, users_among
from chat4all_core.domain.conversation import Conversation
from chat4all_core.domain.errors import Reason, UnavailableError
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.ports.conversation_store import ConversationStore

_CACHED = 250_000
"""Members kept in memory of all versions of conversations together: some 35 MB, whoever makes large groups change
often."""


@dataclass(frozen=True, slots=True)
class Members:
    """Those of one version of a conversation, told apart once instead of at every message."""

    users: Sequence[UserId]
    addresses: Sequence[ChannelAddress]
    """People on channels."""

    def addresses_without(self, sender: ParticipantId) -> Sequence[ChannelAddress]:
        """Those whom what this one wrote goes to."""
        if not self.addresses:
            return ()
        return [address for address in self.addresses if address.participant != sender]


class MembersOfVersions:
    """Reads them, and keeps those of the versions in use."""

    def __init__(self, conversations: ConversationStore) -> None:
        self._conversations = conversations
        self._cache: LRUCache[tuple[ConversationId, int], Members] = LRUCache(
            _CACHED, getsizeof=lambda members: 1 + len(members.users) + len(members.addresses)
        )

    async def learn(self, versions: Collection[tuple[ConversationId, int]]) -> None:
        """Read what is not known of these by one request. What can't be had so is left for the call.

        Raises:
            UnavailableError: nothing can be read now.
        """
        unknown: dict[ConversationId, list[int]] = {}
        for conversation_id, version in versions:
            if (conversation_id, version) not in self._cache:
                unknown.setdefault(conversation_id, []).append(version)
        if len(unknown) < 2:
            return
        for conversation in await self._conversations.get_many(list(unknown)):
            for version in unknown[conversation.conversation_id]:
                if version <= conversation.version:
                    self._cache[conversation.conversation_id, version] = _at(conversation, version)

    async def __call__(self, conversation_id: ConversationId, version: int) -> Members:
        """The members at a version.

        Raises:
            UnavailableError: it can't be read now.
        """
        members = self._cache.get((conversation_id, version))
        if members is None:
            conversation = await self._conversations.get(conversation_id, version)
            if conversation is None or conversation.version < version:
                # The server read this version before it accepted the message, so the store has it.
                raise UnavailableError(
                    Reason.UNAVAILABLE,
                    f"conversation {conversation_id} can't be read at version {version}",
                    0.1,
                )
            members = _at(conversation, version)
            self._cache[conversation_id, version] = members
        return members


def _at(conversation: Conversation, version: int) -> Members:
    participants = [p.participant for p in conversation.participants_at(version)]
    addresses = [address for p in participants if (address := channel_address_of(p)) is not None]
    return Members(users_among(participants), addresses)
