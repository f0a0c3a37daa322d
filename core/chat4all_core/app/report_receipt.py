"""Evidence of how far a participant has come, on its way to the status worker."""

from chat4all_core.domain.delivery_state import DeliveryState, Receipt
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.ports.event_log import STATUS_UPDATED, EventLog
from chat4all_core.telemetry.tracing import trace_headers


class ReportReceipt:
    """Appends receipts to the log."""

    def __init__(self, *, log: EventLog, codec: EventCodec, clock: Clock) -> None:
        self._log = log
        self._codec = codec
        self._clock = clock

    async def __call__(
        self, conversation_id: ConversationId, participant: UserId, state: DeliveryState, sequence: int
    ) -> None:
        """Report, durably, that a participant has (DELIVERED) or has read (READ) everything up to a sequence."""
        receipt = Receipt(conversation_id, participant, state, sequence, self._clock())
        await self._log.append(STATUS_UPDATED, conversation_id, self._codec.encode_status(receipt), trace_headers())
