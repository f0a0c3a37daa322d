"""Use case: keep in which span each sender's newest message lies."""

from collections.abc import Mapping, Sequence

from cachetools import LRUCache

from chat4all_core.domain.channel import is_user
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.domain.message import StoredMessage
from chat4all_core.domain.sent_span import span_of
from chat4all_core.ports.receipt_store import ReceiptStore

_REMEMBERED = 50_000


class RecordSent:
    """Stores a sender's cursor when it comes to a new span, or to one that is not remembered. What was stored once
    stays true, whoever routes the conversation."""

    def __init__(self, receipts: ReceiptStore) -> None:
        self._receipts = receipts
        self._spans: LRUCache[tuple[ConversationId, UserId], int] = LRUCache(_REMEMBERED)

    async def __call__(self, messages: Sequence[StoredMessage]) -> None:
        """Record the senders of messages that have their sequence; they need not be stored yet.

        Raises:
            UnavailableError: perhaps not all of them are recorded.
        """
        newest = _newest_sent(messages)
        unrecorded = {sender: n for sender, n in newest.items() if self._spans.get(sender, -1) < span_of(n)}
        if unrecorded:
            await self._receipts.record_sent(unrecorded)
            self._spans.update((sender, span_of(n)) for sender, n in unrecorded.items())


def _newest_sent(messages: Sequence[StoredMessage]) -> Mapping[tuple[ConversationId, UserId], int]:
    # In the order of their sequence within a conversation, so the last one stays.
    return {
        (m.message.conversation_id, UserId(m.message.sender)): m.sequence for m in messages if is_user(m.message.sender)
    }
