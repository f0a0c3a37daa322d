"""The inbound role: what channels tell us, from the log to messages and evidence."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chat4all_channels.channel import WebhookError
from chat4all_channels.event import Reported, Unsupported
from chat4all_channels.registry import REGISTRY
from chat4all_core.domain.channel import ChannelName
from chat4all_core.ports.event_codec import EventCodec, UndecodableError
from chat4all_core.ports.event_log import CHANNEL_RECEIVED, Record
from chat4all_core.telemetry.metrics import Metrics
from chat4all_workers.handler import Done, Outcome, Rejection
from chat4all_workers.inbound.place import NobodyToReadError
from chat4all_workers.inbound.receive_message import ReceiveMessage
from chat4all_workers.inbound.report_state import ReportState


@dataclass(frozen=True, slots=True)
class ChannelInbound:
    """What is done with what one channel tells."""

    receive: ReceiveMessage
    report: ReportState


class InboundHandler:
    """Rejects what can't be read, or has nobody to read it: it waits as a dead letter."""

    topic = CHANNEL_RECEIVED
    role = "inbound"

    def __init__(self, channels: Mapping[ChannelName, ChannelInbound], codec: EventCodec, metrics: Metrics) -> None:
        """`channels`: those on which the platform has an account."""
        self._channels = channels
        self._codec = codec
        self._metrics = metrics

    def partitions_changed(self, partitions: Sequence[int]) -> None:
        """There is no state to forget."""

    async def handle(self, records: Sequence[Record]) -> Outcome:
        """Handle a batch: each person's records in order, people side by side."""
        by_person: dict[str, list[Record]] = defaultdict(list)
        for record in records:
            by_person[record.key].append(record)
        rejected = await asyncio.gather(*(self._in_order(of_one) for of_one in by_person.values()))
        return Done([rejection for of_one in rejected for rejection in of_one])

    async def _in_order(self, records: Sequence[Record]) -> Sequence[Rejection]:
        rejected = []
        for record in records:
            try:
                await self._handle_one(record)
            except (UndecodableError, WebhookError) as error:
                rejected.append(Rejection(record, str(error)))
            except NobodyToReadError as error:
                remedy = "Give the account an inbox, then have the letter tried again."
                rejected.append(Rejection(record, str(error), "NOBODY_TO_READ", remedy))
        return rejected

    async def _handle_one(self, record: Record) -> None:
        received = self._codec.decode_received(record.value)
        inbound = self._channels.get(received.channel)
        if inbound is None:
            raise UndecodableError(f"of channel {received.channel}, on which the platform has no account")
        for event in REGISTRY[received.channel].channel.parse(received.account, received.body):
            count = self._metrics.channel_events.labels
            match event:
                case Unsupported():
                    count(channel=received.channel, kind="unsupported").inc()
                case Reported():
                    await inbound.report(event, record.value)
                    count(channel=received.channel, kind="report").inc()
                case _:
                    await inbound.receive(event)
                    count(channel=received.channel, kind="message").inc()
