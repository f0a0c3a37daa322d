"""Pages that end early."""

from collections.abc import Sequence

from chat4all.messaging.v1 import messaging_service_pb2 as pb
from chat4all_core.app.message_view import MessageView
from chat4all_core.app.read_messages import MessageRange
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId, UserId
from chat4all_core.domain.message import AcceptedMessage, StoredMessage
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_server.page_token import PageTokens
from chat4all_server.services.list_messages import MAX_PAGE_BYTES, ListMessages

ANN = UserId(ParticipantId("ann"))
ROOM = ConversationId("room")


def view(sequence: int, size: int) -> MessageView:
    accepted = AcceptedMessage(MessageId(f"m{sequence}"), ROOM, ANN, "a" * size, Timestamp(0), 1)
    return MessageView(StoredMessage(accepted, sequence, Source(1, 0, sequence)), DeliveryState.SENT, 0, 0, 0)


async def pages_of(stored: Sequence[MessageView], page_size: int) -> list[list[int]]:
    """The sequences of every page, oldest first."""

    async def read(caller: UserId, room: str, wanted: MessageRange, limit: int) -> Sequence[MessageView]:
        return [v for v in stored if v.stored.sequence > wanted.after][:limit]

    list_messages = ListMessages(read, PageTokens(b"k" * 32))
    request = pb.ListMessagesRequest(conversation_id=ROOM, page_size=page_size, after_sequence=1)
    pages = []
    while True:
        page = await list_messages(ANN, request)
        pages.append([message.sequence for message in page.messages])
        if not page.next_page_token:
            return pages
        request.page_token = page.next_page_token


async def test_large_messages_fill_a_page_early() -> None:
    """A page ends before it gets too large, and the next one goes on where it ended."""
    stored = [view(sequence, MAX_PAGE_BYTES // 3) for sequence in range(2, 8)]
    assert await pages_of(stored, 100) == [[2, 3], [4, 5], [6, 7]]


async def test_one_message_always_fits() -> None:
    """A message that is larger than a page has a page of its own."""
    stored = [view(2, 10), view(3, MAX_PAGE_BYTES), view(4, 10)]
    assert await pages_of(stored, 100) == [[2], [3], [4]]


async def test_full_page_that_is_the_last() -> None:
    """A last page that is exactly full leads nowhere."""
    assert await pages_of([view(2, 1), view(3, 1)], 2) == [[2, 3]]
