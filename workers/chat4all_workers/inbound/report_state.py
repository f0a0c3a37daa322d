"""What a channel reports on a message of ours becomes evidence of its delivery."""

from collections.abc import Sequence
from dataclasses import replace

from chat4all_channels.event import Reported
from chat4all_channels.opaque import from_opaque
from chat4all_core.domain.channel import ChannelName
from chat4all_core.domain.delivery import DeliveryEvidence, DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.delivery_state_store import DeliveryStateStore
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.ports.event_log import STATUS_UPDATED, EventLog
from chat4all_core.ports.provider_messages import DeliveryReference, ProviderMessage, ProviderMessages
from chat4all_core.telemetry.tracing import trace_headers

_COVERED = 100
"""Messages before one that was read which are looked at, where a report covers earlier ones too."""

_NO_REASON = DeliveryFailure("UNKNOWN", "the channel does not say why", "Ask the channel's support.")


class ReportState:
    """Leads reports on messages of one channel back to their deliveries."""

    def __init__(
        self,
        channel: ChannelName,
        *,
        provider_messages: ProviderMessages,
        delivery_states: DeliveryStateStore,
        log: EventLog,
        codec: EventCodec,
        clock: Clock,
    ) -> None:
        self._channel = channel
        self._provider_messages = provider_messages
        self._delivery_states = delivery_states
        self._log = log
        self._codec = codec
        self._clock = clock

    async def __call__(self, report: Reported, body: bytes) -> None:
        """Append the evidence durably, or park the report until its message is known.

        Args:
            report: what the channel says.
            body: the record's value that it came in, which is what is parked.

        Raises:
            UnavailableError: an engine can't be had now.
        """
        message = ProviderMessage(self._channel, report.account, report.provider_id)
        reference = from_opaque(report.opaque) or await self._provider_messages.find(message)
        if reference is None:
            reference = await self._provider_messages.park(message, body)
        if reference is None or not reference.sequence:
            return  # it waits; or it is about something that is no message of ours, such as a code
        newest = self._evidence(report, reference)
        for evidence in [newest, *await self._earlier(report, newest)]:
            # A text in parts has come when its last part has; one part that failed is enough to fail it.
            if reference.is_last or evidence.state is DeliveryState.FAILED:
                value = self._codec.encode_status(evidence)
                await self._log.append(STATUS_UPDATED, evidence.conversation_id, value, trace_headers())

    def _evidence(self, report: Reported, reference: DeliveryReference) -> DeliveryEvidence:
        failed = report.state is DeliveryState.FAILED
        return DeliveryEvidence(
            conversation_id=reference.conversation_id,
            message_id=reference.message_id,
            sequence=reference.sequence,
            recipient=reference.recipient,
            channel=self._channel,
            state=report.state,
            time=report.time or self._clock(),
            attempt=reference.attempt,
            failure=(report.failure or _NO_REASON) if failed else None,
            provider_id=report.provider_id,
        )

    async def _earlier(self, report: Reported, newest: DeliveryEvidence) -> Sequence[DeliveryEvidence]:
        """The same evidence of what this person was sent before."""
        if not report.covers_earlier:
            return []
        first = max(1, newest.sequence - _COVERED)
        known = await self._delivery_states.evidence(newest.conversation_id, range(first, newest.sequence))
        return [
            replace(newest, message_id=sent.message_id, sequence=sent.sequence, attempt=sent.attempt, provider_id=None)
            for evidence in known.values()
            if (sent := _sent(evidence, newest)) is not None
        ]


def _sent(evidence: Sequence[DeliveryEvidence], newest: DeliveryEvidence) -> DeliveryEvidence | None:
    """The evidence that an earlier delivery to the same address was sent and is not read yet."""
    own = [e for e in evidence if e.recipient == newest.recipient and e.channel == newest.channel]
    if any(e.state is DeliveryState.READ for e in own):
        return None
    return next((e for e in own if e.state is DeliveryState.SENT), None)
