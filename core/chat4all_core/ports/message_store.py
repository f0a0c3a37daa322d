"""Where messages lie once they have a sequence."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chat4all_core.domain.ids import ConversationId, MessageId, UserId
from chat4all_core.domain.message import StoredMessage
from chat4all_core.domain.source import Source


@dataclass(frozen=True, slots=True)
class MessagePosition:
    """Where a message lies."""

    conversation_id: ConversationId
    sequence: int
    source: Source


class MessageStore(Protocol):
    """Writes are idempotent: the same rows again change nothing. Batches of any size are allowed and may
    be written in part when a call fails."""

    async def write(self, messages: Sequence[StoredMessage]) -> None:
        """Store messages and their positions durably.

        Raises:
            UnavailableError: perhaps not all of them are stored.
        """
        ...

    async def positions(self, message_ids: Collection[MessageId]) -> Mapping[MessageId, MessagePosition]:
        """The positions of those that are stored."""
        ...

    async def last_sequences_before(self, sources: Mapping[ConversationId, Source]) -> Mapping[ConversationId, int]:
        """For each conversation, the highest sequence among its rows whose source lies before the given
        one; 0 when there is none. Rows at or after it are a replay's and do not count."""
        ...

    async def last_sequence(self, conversation_id: ConversationId) -> int:
        """The sequence of the newest message; 0 when there is none."""
        ...

    async def get(self, conversation_id: ConversationId, sequence: int) -> StoredMessage | None:
        """One message."""
        ...

    async def list_before(
        self, conversation_id: ConversationId, before: int, after: int, limit: int
    ) -> Sequence[StoredMessage]:
        """Up to `limit` messages with after < sequence < before, newest first."""
        ...

    async def list_after(
        self, conversation_id: ConversationId, after: int, before: int, limit: int
    ) -> Sequence[StoredMessage]:
        """Up to `limit` messages with after < sequence < before, oldest first."""
        ...

    async def newest(self, conversation_ids: Collection[ConversationId]) -> Mapping[ConversationId, StoredMessage]:
        """The newest message of each conversation that has one."""
        ...

    async def senders(
        self, conversation_id: ConversationId, after: int, up_to: int
    ) -> Mapping[UserId, tuple[int, MessageId]]:
        """Who sent the messages with after < sequence <= up_to: for each sender the sequence and id of
        their newest message there."""
        ...
