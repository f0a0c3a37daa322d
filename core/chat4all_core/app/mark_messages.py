"""Use case: mark messages as delivered or read."""

import asyncio

from chat4all_core.app.find_message import PATIENCE, find_message
from chat4all_core.app.report_receipt import ReportReceipt
from chat4all_core.app.require_conversation import require_conversation
from chat4all_core.domain.delivery_state import NO_CURSOR, DeliveryState
from chat4all_core.domain.errors import PermissionDeniedError, Reason
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.message_store import MessageStore
from chat4all_core.ports.receipt_store import ReceiptStore

_PAUSE = 0.005


class MarkMessages:
    """Takes receipts from clients, by message."""

    def __init__(
        self,
        *,
        conversations: ConversationStore,
        messages: MessageStore,
        receipts: ReceiptStore,
        report: ReportReceipt,
    ) -> None:
        self._conversations = conversations
        self._messages = messages
        self._receipts = receipts
        self._report = report

    async def __call__(self, caller: UserId, message_id: str, state: DeliveryState) -> None:
        """Mark everything up to and including a message as DELIVERED to the caller, or READ.

        Raises:
            NotFoundError: MESSAGE_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT, or NOT_A_RECIPIENT for the sender.
        """
        position = await find_message(self._messages, message_id)
        await require_conversation(self._conversations, position.conversation_id, caller)
        stored = await self._messages.get(position.conversation_id, position.sequence)
        if stored is not None and stored.message.sender == caller:
            raise PermissionDeniedError(
                Reason.NOT_A_RECIPIENT,
                "only a recipient may mark a message, not its sender",
                {"message_id": message_id},
            )
        if await self._is_marked(caller, position.conversation_id, position.sequence, state):
            return
        await self._report(position.conversation_id, caller, state, position.sequence)
        await self._wait_until_marked(caller, position.conversation_id, position.sequence, state)

    async def _wait_until_marked(
        self, caller: UserId, conversation_id: ConversationId, sequence: int, state: DeliveryState
    ) -> None:
        """Let callers read their own write. The receipt is durable already, so being late is no error."""
        for _ in range(int(PATIENCE / _PAUSE)):
            if await self._is_marked(caller, conversation_id, sequence, state):
                return
            await asyncio.sleep(_PAUSE)

    async def _is_marked(
        self, caller: UserId, conversation_id: ConversationId, sequence: int, state: DeliveryState
    ) -> bool:
        cursors = await self._receipts.cursors([conversation_id])
        cursor = cursors[conversation_id].get(caller, NO_CURSOR)
        reached = cursor.read_up_to if state is DeliveryState.READ else cursor.delivered_up_to
        return sequence <= reached
