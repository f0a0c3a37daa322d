"""Which of a sender's messages are stored as their newest."""

from collections.abc import Mapping
from typing import cast

import pytest
from message_rows import message_rows, new_conversation

from chat4all_core.app.record_sent import RecordSent
from chat4all_core.domain.errors import Reason, UnavailableError
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.ports.receipt_store import ReceiptStore


class NotedReceipts:
    """Notes what is to be stored; fails when told to."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.fails = False

    async def record_sent(self, sent: Mapping[tuple[ConversationId, UserId], int]) -> None:
        if self.fails:
            raise UnavailableError(Reason.UNAVAILABLE, "not now", 1.0)
        self.sent += sent.values()


async def test_a_sender_is_stored_once_in_a_span() -> None:
    """Of many messages of a sender, one in each hundred sequences is stored, and none again."""
    receipts = NotedReceipts()
    record = RecordSent(cast(ReceiptStore, receipts))
    rows = message_rows(new_conversation(), range(10, 360, 10))  # all of one sender
    for row in rows:
        await record([row])
    assert receipts.sent == [10, 100, 200, 300]
    await record(rows)
    assert receipts.sent == [10, 100, 200, 300]


async def test_what_was_not_stored_is_stored_later() -> None:
    """After a failure the same messages are recorded again."""
    receipts = NotedReceipts()
    record = RecordSent(cast(ReceiptStore, receipts))
    rows = message_rows(new_conversation(), range(1, 11))
    receipts.fails = True
    with pytest.raises(UnavailableError):
        await record(rows)
    receipts.fails = False
    await record(rows)
    assert receipts.sent == list(range(1, 11))
