"""The status role: receipts and changes of membership from the log to those whom they concern."""

from collections.abc import Sequence

from chat4all_core.app.record_status import ROLE, RecordStatus, StatusEntry
from chat4all_core.ports.event_codec import EventCodec, UndecodableError
from chat4all_core.ports.event_log import STATUS_UPDATED, Record
from chat4all_workers.handler import Done, Outcome, Rejection


class StatusHandler:
    """Rejects what it can't read: a receipt is repeated by the next one."""

    topic = STATUS_UPDATED
    role = ROLE

    def __init__(self, record_status: RecordStatus, codec: EventCodec) -> None:
        self._record_status = record_status
        self._codec = codec

    def partitions_changed(self, partitions: Sequence[int]) -> None:
        """There is no state to forget."""

    async def handle(self, records: Sequence[Record]) -> Outcome:
        """Record a batch."""
        entries, rejected = [], []
        for record in records:
            try:
                entries.append(StatusEntry(self._codec.decode_status(record.value), record.source))
            except UndecodableError as error:
                rejected.append(Rejection(record, str(error)))
        await self._record_status(entries)
        return Done(rejected)
