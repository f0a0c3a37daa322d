"""The newest records of a topic in memory, so that consumers that keep up never read the database."""

from collections import deque
from collections.abc import Sequence

from chat4all_core.ports.event_log import Record


class _PartitionTail:
    """A contiguous run of records up to the newest one."""

    def __init__(self, start: int) -> None:
        self._records: list[Record] = []
        self._dropped = 0  # leading entries of the list that are not kept any more
        self.start = start

    def append(self, record: Record) -> None:
        self._records.append(record)

    def drop_first(self) -> Record:
        record = self._records[self._dropped]
        self._dropped += 1
        self.start += 1
        if self._dropped > 64 and self._dropped * 2 > len(self._records):
            del self._records[: self._dropped]
            self._dropped = 0
        return record

    def slice(self, offset: int, limit: int) -> Sequence[Record]:
        index = offset - self.start + self._dropped
        return self._records[index : index + limit]


class LogTail:
    """Bounded by number and bytes over all partitions of the topic; the oldest go first."""

    def __init__(self, max_records: int, max_bytes: int) -> None:
        self._max_records = max_records
        self._max_bytes = max_bytes
        self._partitions: dict[int, _PartitionTail] = {}
        self._order: deque[int] = deque()  # the partition of each kept record, oldest first
        self._bytes = 0

    def begin(self, partition: int, offset: int) -> None:
        """Say that the database holds nothing at or after an offset yet that will not be pushed."""
        if partition not in self._partitions:
            self._partitions[partition] = _PartitionTail(offset)

    def push(self, record: Record) -> None:
        """Keep a record; those of a partition come in order, without a gap."""
        source = record.source
        partition = self._partitions.get(source.partition)
        if partition is None:
            partition = self._partitions[source.partition] = _PartitionTail(source.offset)
        partition.append(record)
        self._order.append(source.partition)
        self._bytes += len(record.value)
        while len(self._order) > self._max_records or self._bytes > self._max_bytes:
            self._bytes -= len(self._partitions[self._order.popleft()].drop_first().value)

    def read(self, partition: int, offset: int, limit: int) -> Sequence[Record] | None:
        """Up to `limit` records from an offset on; None when that lies before what is kept here."""
        tail = self._partitions.get(partition)
        if tail is None or offset < tail.start:
            return None
        return tail.slice(offset, limit)
