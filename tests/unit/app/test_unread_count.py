"""How many messages are unread."""

from collections.abc import Collection, Mapping
from typing import cast

from message_rows import message_rows, new_conversation, user

from chat4all_core.app.message_view import MessageViews
from chat4all_core.app.read_conversations import ReadConversations
from chat4all_core.domain.conversation import Conversation, ConversationType, Participation, Role
from chat4all_core.domain.delivery_state import Cursor, Cursors
from chat4all_core.domain.ids import ConversationId, MessageId, UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.message_store import MessageStore
from chat4all_core.ports.receipt_store import ReceiptStore
from chat4all_core.ports.user_stream import UserStream

ANN = user("user 0")
"""Sends the messages 10, 20, 30, …"""


class Stores:
    """A conversation of ten senders in turn, which has `last` messages."""

    def __init__(self, last: int, cursor: Cursor) -> None:
        self._last = last
        self._cursor = cursor
        self.conversation_id = new_conversation()
        self.looked_at: list[tuple[int, int]] = []

    async def last_sequence(self, conversation_id: ConversationId) -> int:
        return self._last

    async def cursors(self, conversation_ids: Collection[ConversationId]) -> Mapping[ConversationId, Cursors]:
        return {self.conversation_id: {ANN: self._cursor}}

    async def senders(
        self, conversation_id: ConversationId, after: int, up_to: int
    ) -> Mapping[UserId, tuple[int, MessageId]]:
        self.looked_at.append((after, up_to))
        rows = message_rows(self.conversation_id, range(after + 1, up_to + 1))
        return {UserId(row.message.sender): (row.sequence, row.message.message_id) for row in rows}

    async def unread(self) -> int:
        """What Ann sees."""
        read = ReadConversations(
            conversations=cast(ConversationStore, None),
            messages=cast(MessageStore, self),
            receipts=cast(ReceiptStore, self),
            streams=cast(UserStream, None),
            views=cast(MessageViews, None),
        )
        stay = Participation(ANN, Role.ADMIN, 1, None, 0)
        conversation = Conversation(self.conversation_id, ConversationType.GROUP, "", ANN, Timestamp(0), 1, (stay,))
        return (await read.view(ANN, conversation)).unread_count


async def test_what_came_before_ones_newest_message_is_read() -> None:
    """The newest own message is found in the hundred sequences of the one that is stored."""
    stores = Stores(157, Cursor(sent_up_to=110))
    assert await stores.unread() == 7
    assert stores.looked_at == [(110, 157)]
    assert await Stores(457, Cursor(sent_up_to=110)).unread() == 267


async def test_nothing_is_looked_up_where_it_does_not_matter() -> None:
    """Neither for somebody who has read everything, or all of the span, nor for one who never sent."""
    for last, cursor, unread in (
        (157, Cursor(157, 157, 110), 0),
        (457, Cursor(300, 300, 110), 157),
        (157, Cursor(0, 0, 0), 157),
        (110, Cursor(0, 0, 110), 0),
    ):
        stores = Stores(last, cursor)
        assert await stores.unread() == unread
        assert stores.looked_at == []


async def test_a_message_that_is_not_stored_yet_counts() -> None:
    """Nobody finds their own message unread, not even for a moment."""
    assert await Stores(150, Cursor(sent_up_to=160)).unread() == 0
