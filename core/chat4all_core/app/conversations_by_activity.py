"""The order of a user's conversations, found out from what is kept for ever."""

from collections.abc import Sequence

from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.message_store import MessageStore

_BATCH = 200  # conversations whose newest messages are in memory at a time


class ConversationsByActivity:
    """For streams that have lost the order: it reads something of every conversation."""

    def __init__(self, conversations: ConversationStore, messages: MessageStore) -> None:
        self._conversations = conversations
        self._messages = messages

    async def __call__(self, user_id: UserId) -> Sequence[ConversationId]:
        """All conversations of a user, by their newest message or else by their creation, the oldest first. Those that
        the user has left may be among them.

        Raises:
            UnavailableError: an engine can't be had now.
        """
        ids = await self._conversations.conversations_of(user_id)
        active_at: dict[ConversationId, Timestamp] = {}
        for start in range(0, len(ids), _BATCH):
            active_at |= await self._active_at(ids[start : start + _BATCH])
        return sorted(active_at, key=lambda conversation_id: (active_at[conversation_id], conversation_id))

    async def _active_at(self, ids: Sequence[ConversationId]) -> dict[ConversationId, Timestamp]:
        newest = await self._messages.newest(ids)
        silent = await self._conversations.get_many([c for c in ids if c not in newest])
        return {c: stored.message.accepted_at for c, stored in newest.items()} | {
            conversation.conversation_id: conversation.created_at for conversation in silent
        }
