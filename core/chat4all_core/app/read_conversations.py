"""Use case: see one's conversations."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chat4all_core.app.message_view import MessageView, MessageViews
from chat4all_core.app.require_conversation import require_conversation
from chat4all_core.domain.conversation import Conversation
from chat4all_core.domain.delivery_state import NO_CURSOR, Cursor, Cursors
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.domain.message import StoredMessage
from chat4all_core.domain.sent_span import end_of_span
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.message_store import MessageStore
from chat4all_core.ports.receipt_store import ReceiptStore
from chat4all_core.ports.user_stream import ConversationActivity, UserStream


@dataclass(frozen=True, slots=True)
class ConversationView:
    """A conversation as one participant sees it."""

    conversation: Conversation
    last_sequence: int
    unread_count: int
    last_message: MessageView | None
    """Only in lists."""


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """A page of a list."""

    items: Sequence[ConversationView]
    next_before: int | None
    """The activity to go on below, or None on the last page."""


class ReadConversations:
    """Shows conversations to those who take part."""

    def __init__(
        self,
        *,
        conversations: ConversationStore,
        messages: MessageStore,
        receipts: ReceiptStore,
        streams: UserStream,
        views: MessageViews,
    ) -> None:
        self._conversations = conversations
        self._messages = messages
        self._receipts = receipts
        self._streams = streams
        self._message_views = views

    async def get(self, caller: UserId, conversation_id: str) -> ConversationView:
        """One conversation.

        Raises:
            NotFoundError: CONVERSATION_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT.
        """
        conversation = await require_conversation(self._conversations, conversation_id, caller)
        return await self.view(caller, conversation)

    async def view(self, caller: UserId, conversation: Conversation) -> ConversationView:
        """A conversation as the caller, a participant, sees it."""
        ids = [conversation.conversation_id]
        last, cursors = await asyncio.gather(
            self._messages.last_sequence(conversation.conversation_id), self._receipts.cursors(ids)
        )
        return await self._view(caller, conversation, last, cursors[conversation.conversation_id], None)

    async def _participating(
        self, caller: UserId, recent: Sequence[ConversationActivity]
    ) -> list[tuple[ConversationActivity, Conversation]]:
        conversations = await self._conversations.get_many([r.conversation_id for r in recent])
        by_id = {c.conversation_id: c for c in conversations if c.participation_of(caller)}
        return [(r, by_id[r.conversation_id]) for r in recent if r.conversation_id in by_id]

    async def _views(self, caller: UserId, conversations: Sequence[Conversation]) -> Sequence[ConversationView]:
        ids = [conversation.conversation_id for conversation in conversations]
        newest, cursors = await asyncio.gather(self._messages.newest(ids), self._receipts.cursors(ids))
        return await asyncio.gather(
            *(
                self._listed(caller, conversation, newest.get(conversation.conversation_id), cursors)
                for conversation in conversations
            )
        )

    async def _listed(
        self,
        caller: UserId,
        conversation: Conversation,
        newest: StoredMessage | None,
        cursors: Mapping[ConversationId, Cursors],
    ) -> ConversationView:
        of_this = cursors[conversation.conversation_id]
        last = await self._message_views.views(conversation, of_this, [newest]) if newest else []
        last_sequence = newest.sequence if newest else 0
        return await self._view(caller, conversation, last_sequence, of_this, last[0] if last else None)

    async def list(self, caller: UserId, page_size: int, before: int | None) -> ConversationPage:
        """A page of the caller's conversations, newest activity first, below an activity where given."""
        found: list[tuple[ConversationActivity, Conversation]] = []
        while len(found) <= page_size:
            recent = await self._streams.recent_conversations(caller, before, page_size + 1)
            found += await self._participating(caller, recent)
            if len(recent) <= page_size:
                break
            before = recent[-1].activity
        page = found[:page_size]
        items = await self._views(caller, [conversation for _, conversation in page])
        return ConversationPage(items, page[-1][0].activity if len(found) > page_size else None)

    async def _view(
        self,
        caller: UserId,
        conversation: Conversation,
        last_sequence: int,
        cursors: Cursors,
        last_message: MessageView | None,
    ) -> ConversationView:
        seen = await self._seen(caller, conversation, last_sequence, cursors.get(caller, NO_CURSOR))
        return ConversationView(
            conversation=conversation,
            last_sequence=last_sequence,
            unread_count=max(0, last_sequence - seen),
            last_message=last_message,
        )

    async def _seen(self, caller: UserId, conversation: Conversation, last_sequence: int, cursor: Cursor) -> int:
        """Up to which sequence nothing counts as unread."""
        joined = conversation.require_participant(caller).joined_sequence
        seen = max(cursor.read_up_to, cursor.sent_up_to, joined)
        # Their newest own message may come later in the span, where that can matter.
        end = min(last_sequence, end_of_span(cursor.sent_up_to))
        if not cursor.sent_up_to or seen >= end:
            return seen
        senders = await self._messages.senders(conversation.conversation_id, seen, end)
        sequence, _ = senders.get(caller, (seen, None))
        return sequence
