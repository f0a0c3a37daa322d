"""An event log in memory, for one process at a time that may crash and come again."""

import asyncio
import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

from chat4all_core.domain.source import Source
from chat4all_core.ports.event_log import AssignmentListener, Record


class MemoryLog:
    """Implements EventLog. What was appended and committed stays when its users are gone."""

    def __init__(self, partitions: int = 2) -> None:
        self.partitions = partitions
        self.records: dict[tuple[str, int], list[Record]] = defaultdict(list)
        self.committed: dict[tuple[str, str, int], int] = {}
        self._appended = asyncio.Event()

    async def append(self, topic: str, key: str, value: bytes, headers: Mapping[str, str] | None = None) -> Source:
        """At once."""
        partition = self.partition_of(key)
        records = self.records[topic, partition]
        source = Source(1, partition, len(records))
        records.append(Record(topic, source, key, value, dict(headers or {})))
        appended, self._appended = self._appended, asyncio.Event()
        appended.set()
        return source

    def partition_of(self, key: str) -> int:
        """Where the records of a key are."""
        return zlib.crc32(key.encode()) % self.partitions

    def all(self, topic: str) -> list[Record]:
        """Every record of a topic, partition by partition."""
        return [record for partition in range(self.partitions) for record in self.records[topic, partition]]

    def consumer(self, topic: str, group: str) -> "MemoryConsumer":
        """Gets all partitions at once."""
        return MemoryConsumer(self, topic, group)

    async def ready(self) -> bool:
        """Always."""
        return True

    async def wait(self, timeout: float) -> None:
        """Until something is appended."""
        try:
            await asyncio.wait_for(self._appended.wait(), timeout)
        except TimeoutError:
            return


class MemoryConsumer:
    """Implements Consumer."""

    def __init__(self, log: MemoryLog, topic: str, group: str) -> None:
        self._log = log
        self._topic = topic
        self._group = group
        self._positions: dict[int, int] = {}
        self.paused: set[int] = set()

    async def start(self, on_assigned: AssignmentListener, on_revoked: AssignmentListener) -> None:
        """Joins at once."""
        self._on_revoked = on_revoked
        for partition in range(self._log.partitions):
            self._positions[partition] = self._log.committed.get((self._topic, self._group, partition), 0)
        await on_assigned(list(self._positions))

    async def poll(self, max_records: int, timeout: float) -> Sequence[Record]:
        """See Consumer.poll."""
        found = self._fetch(max_records)
        if not found:
            await self._log.wait(timeout)
            found = self._fetch(max_records)
        return found

    def _fetch(self, limit: int) -> list[Record]:
        found: list[Record] = []
        for partition in self._positions.keys() - self.paused:
            position = self._positions[partition]
            records = self._log.records[self._topic, partition][position : position + limit - len(found)]
            self._positions[partition] += len(records)
            found += records
        return found

    async def commit(self, next_offsets: Mapping[int, int]) -> None:
        """See Consumer.commit."""
        for partition, offset in next_offsets.items():
            self._log.committed[self._topic, self._group, partition] = offset

    def rewind(self, next_offsets: Mapping[int, int]) -> None:
        """See Consumer.rewind."""
        self._positions.update(next_offsets)

    def pause(self, partitions: Sequence[int]) -> None:
        """See Consumer.pause."""
        self.paused.update(partitions)

    def resume(self, partitions: Sequence[int]) -> None:
        """See Consumer.resume."""
        self.paused.difference_update(partitions)

    async def close(self) -> None:
        """Hands everything over."""
        await self._on_revoked(list(self._positions))
        self._positions.clear()
