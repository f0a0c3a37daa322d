"""Use case: read messages."""

from collections.abc import Sequence
from dataclasses import dataclass

from chat4all_core.app.find_message import find_message
from chat4all_core.app.message_view import MessageView, MessageViews, Way
from chat4all_core.app.report_receipt import ReportReceipt
from chat4all_core.app.require_conversation import require_conversation
from chat4all_core.domain.conversation import Conversation
from chat4all_core.domain.delivery_state import NO_CURSOR, Cursors, DeliveryState, StateChange
from chat4all_core.domain.errors import NotFoundError, Reason
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.domain.message import AcceptedMessage, StoredMessage
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.message_store import MessageStore
from chat4all_core.ports.receipt_store import ReceiptStore

MAX_PAGE_BYTES = 2 * 1024 * 1024
"""Of texts and metadata: a page ends early here, so that also the JSON made of it stays within what proxies carry."""

_ENDLESS = 2**63 - 1


@dataclass(frozen=True, slots=True)
class MessageDetails:
    """A message with all that is known of its delivery."""

    view: MessageView
    recipients: Sequence[Way]
    """Ordered by participant; each of their ways."""
    history: Sequence[StateChange]
    """Oldest first; begins with SENT, of the sender."""


@dataclass(frozen=True, slots=True)
class MessageRange:
    """Which messages of a conversation: after < sequence < before."""

    after: int = 0
    before: int | None = None
    oldest_first: bool = False


@dataclass(frozen=True, slots=True)
class MessagePage:
    """A page of a list."""

    items: Sequence[MessageView]
    more: bool
    """Whether the range holds messages beyond the page."""


class ReadMessages:
    """Shows messages to participants. What a recipient fetches, their client has: it becomes DELIVERED."""

    def __init__(
        self,
        *,
        conversations: ConversationStore,
        messages: MessageStore,
        receipts: ReceiptStore,
        views: MessageViews,
        report: ReportReceipt,
    ) -> None:
        self._conversations = conversations
        self._messages = messages
        self._receipts = receipts
        self._views = views
        self._report = report

    async def get(self, caller: UserId, message_id: str) -> MessageDetails:
        """One message with every recipient and the history of its states.

        Raises:
            NotFoundError: MESSAGE_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT.
        """
        position = await find_message(self._messages, message_id)
        conversation = await require_conversation(self._conversations, position.conversation_id, caller)
        stored = await self._messages.get(position.conversation_id, position.sequence)
        if stored is None:
            raise NotFoundError(Reason.MESSAGE_NOT_FOUND, "there is no such message", {"message_id": message_id})
        conversation = await self._at_version_of(conversation, [stored])
        cursors = (await self._receipts.cursors([position.conversation_id]))[position.conversation_id]
        history = await self._receipts.history(position.conversation_id, position.sequence)
        await self._mark_delivered(caller, conversation, cursors, [stored])
        recipients, told = await self._views.ways(conversation, cursors, stored)
        present = {way.participant for way in recipients}
        sent = StateChange(stored.message.sender, DeliveryState.SENT, stored.message.accepted_at)
        return MessageDetails(
            view=self._views.summary(stored, recipients),
            recipients=recipients,
            history=[sent, *(change for change in _merged(history, told) if change.participant in present)],
        )

    async def list(self, caller: UserId, conversation_id: str, wanted: MessageRange, limit: int) -> MessagePage:
        """Up to `limit` messages of a conversation, fewer when they are large, at least one when there is one.

        Raises:
            NotFoundError: CONVERSATION_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT.
        """
        conversation = await require_conversation(self._conversations, conversation_id, caller)
        read = self._messages.list_after if wanted.oldest_first else self._messages.list_before
        before = _ENDLESS if wanted.before is None else wanted.before
        bounds = (wanted.after, before) if wanted.oldest_first else (before, wanted.after)
        # One more than the page holds tells whether there is more. Only what is given becomes DELIVERED.
        found = await read(ConversationId(conversation_id), *bounds, limit + 1)
        messages = _fitting(found[:limit])
        conversation = await self._at_version_of(conversation, messages)
        cursors = (await self._receipts.cursors([conversation.conversation_id]))[conversation.conversation_id]
        await self._mark_delivered(caller, conversation, cursors, messages)
        return MessagePage(await self._views.views(conversation, cursors, messages), len(messages) < len(found))

    async def _at_version_of(self, conversation: Conversation, messages: Sequence[StoredMessage]) -> Conversation:
        """The conversation, new enough to know the recipients of all these messages."""
        version = max((m.message.membership_version for m in messages), default=0)
        if version <= conversation.version:
            return conversation
        return await self._conversations.get(conversation.conversation_id, version) or conversation

    async def _mark_delivered(
        self, caller: UserId, conversation: Conversation, cursors: Cursors, messages: Sequence[StoredMessage]
    ) -> None:
        newest = max((m.sequence for m in messages if m.message.sender != caller), default=0)
        if newest > cursors.get(caller, NO_CURSOR).delivered_up_to:
            await self._report(conversation.conversation_id, caller, DeliveryState.DELIVERED, newest)


def _merged(history: Sequence[StateChange], told: Sequence[StateChange]) -> Sequence[StateChange]:
    return sorted([*history, *told], key=lambda change: change.time) if told else history


def _fitting(messages: Sequence[StoredMessage]) -> Sequence[StoredMessage]:
    size = 0
    for count, stored in enumerate(messages):
        size += _size(stored.message)
        if count and size > MAX_PAGE_BYTES:
            return messages[:count]
    return messages


def _size(message: AcceptedMessage) -> int:
    metadata = message.metadata or {}
    return len(message.text.encode()) + sum(len(k.encode()) + len(v.encode()) for k, v in metadata.items())
