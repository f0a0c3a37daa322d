"""The router role: messages from the log to the store and the users' streams."""

from collections.abc import Sequence

from chat4all_core.app.route_messages import ROLE, RouteMessages
from chat4all_core.domain.fold import Entry
from chat4all_core.ports.event_codec import EventCodec, UndecodableError
from chat4all_core.ports.event_log import MESSAGE_ACCEPTED, Record
from chat4all_core.telemetry.metrics import Metrics
from chat4all_workers.handler import Done, Halt, Outcome


class RouterHandler:
    """Never rejects: an accepted message that can't be read stops its partition, for dropping it would lose it."""

    topic = MESSAGE_ACCEPTED
    role = ROLE

    def __init__(self, route: RouteMessages, codec: EventCodec, metrics: Metrics) -> None:
        self._route = route
        self._codec = codec
        self._metrics = metrics

    def partitions_changed(self, partitions: Sequence[int]) -> None:
        """Forget the sequences of these partitions' conversations."""
        self._route.forget(partitions)

    async def handle(self, records: Sequence[Record]) -> Outcome:
        """Route a batch."""
        entries = []
        for record in records:
            try:
                entries.append(Entry(self._codec.decode_accepted(record.value), record.source))
            except UndecodableError as error:
                return Halt(record.source.partition, f"the record at {record.source} can't be read: {error}")
        stored = await self._route(entries)
        self._metrics.messages_routed.inc(len(stored))
        self._metrics.messages_repeated.inc(len(entries) - len(stored))
        return Done()
