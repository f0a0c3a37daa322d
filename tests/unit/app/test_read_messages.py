"""Pages of messages that are large."""

from collections.abc import Sequence
from typing import cast

from chat4all_core.app.message_view import MessageViews
from chat4all_core.app.read_messages import MAX_PAGE_BYTES, MessageRange, ReadMessages
from chat4all_core.app.report_receipt import ReportReceipt
from chat4all_core.domain.conversation import Conversation, ConversationType, Participation, Role
from chat4all_core.domain.delivery_state import Cursors
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId, UserId
from chat4all_core.domain.message import AcceptedMessage, StoredMessage
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.delivery_state_store import DeliveryStateStore
from chat4all_core.ports.message_store import MessageStore
from chat4all_core.ports.receipt_store import ReceiptStore

ANN = UserId(ParticipantId("ann"))
ROOM = ConversationId("room")


class OneConversation:
    """A conversation of one, with the messages 1, 2, 3, … of the given sizes."""

    def __init__(self, *sizes: int) -> None:
        self._messages = [
            StoredMessage(
                AcceptedMessage(MessageId(str(sequence)), ROOM, ANN, "é" * (size // 2), Timestamp(0), 1),
                sequence,
                Source(1, 0, sequence),
            )
            for sequence, size in enumerate(sizes, 1)
        ]

    async def get(self, conversation_id: ConversationId, at_least_version: int = 0) -> Conversation:
        stay = Participation(ANN, Role.ADMIN, 1, None, 0)
        return Conversation(ROOM, ConversationType.GROUP, "", ANN, Timestamp(0), 1, (stay,))

    async def list_after(
        self, conversation_id: ConversationId, after: int, before: int, limit: int
    ) -> Sequence[StoredMessage]:
        return [m for m in self._messages if after < m.sequence < before][:limit]

    async def cursors(self, conversation_ids: Sequence[ConversationId]) -> dict[ConversationId, Cursors]:
        return {ROOM: {}}


async def pages(store: OneConversation, limit: int = 100) -> list[list[int]]:
    """The sequences on every page, oldest first."""
    read = ReadMessages(
        conversations=cast(ConversationStore, store),
        messages=cast(MessageStore, store),
        receipts=cast(ReceiptStore, store),
        views=MessageViews(cast(DeliveryStateStore, None), ()),  # nobody here is on a channel
        report=cast(ReportReceipt, None),  # the only reader is the sender, who reports nothing
    )
    result: list[list[int]] = []
    more, last = True, 0
    while more:
        page = await read.list(ANN, ROOM, MessageRange(after=last, oldest_first=True), limit)
        result.append([view.stored.sequence for view in page.items])
        more, last = page.more, result[-1][-1]
    return result


async def test_large_messages_end_a_page_early() -> None:
    """A page ends before it gets too large, counted in bytes, and the next one goes on where it ended."""
    third = MAX_PAGE_BYTES // 3
    assert await pages(OneConversation(third, third, third, third, third)) == [[1, 2, 3], [4, 5]]


async def test_one_message_always_fits() -> None:
    """A message that is larger than a page has a page of its own."""
    assert await pages(OneConversation(10, 2 * MAX_PAGE_BYTES, 10)) == [[1], [2], [3]]


async def test_full_page_that_is_the_last() -> None:
    """A last page that is exactly full says that there is no more."""
    assert await pages(OneConversation(10, 10), limit=2) == [[1, 2]]
