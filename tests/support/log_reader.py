"""A member of a consumer group that notes what happens to it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from engine_under_test import DEADLINE

from chat4all_core.ports.event_log import Consumer, EventLog, Record


class LogReader:
    """Reads when told to."""

    def __init__(self, name: str, consumer: Consumer, diary: list[tuple[str, str, tuple[int, ...]]]) -> None:
        self.name = name
        self.consumer = consumer
        self.diary = diary
        """(who, "assigned" or "revoked", partitions), shared by all members that it was given to."""
        self.assigned: set[int] = set()
        self.records: list[Record] = []
        self.commits_when_revoked = False

    async def start(self) -> None:
        """Join the group."""
        await self.consumer.start(self._on_assigned, self._on_revoked)

    async def poll(self, max_records: int = 1_000, timeout: float = 0.05) -> Sequence[Record]:
        """Poll once, keeping what comes."""
        records = await self.consumer.poll(max_records, timeout)
        self.records.extend(records)
        return records

    async def read(self, count: int, max_records: int = 1_000) -> list[Record]:
        """The next records, waiting for as many as are wanted."""
        records: list[Record] = []
        async with asyncio.timeout(DEADLINE):
            while len(records) < count:
                records.extend(await self.poll(max_records))
        return records

    async def commit(self, records: Sequence[Record]) -> None:
        """Commit after these records."""
        await self.consumer.commit({r.source.partition: r.source.offset + 1 for r in records})

    async def _on_assigned(self, partitions: Sequence[int]) -> None:
        assert self.assigned.isdisjoint(partitions)
        self.assigned.update(partitions)
        self.diary.append((self.name, "assigned", tuple(sorted(partitions))))

    async def _on_revoked(self, partitions: Sequence[int]) -> None:
        assert self.assigned.issuperset(partitions)
        await asyncio.sleep(0)  # others get a chance to take them too early
        if self.commits_when_revoked:
            await self.commit([r for r in self.records if r.source.partition in partitions])
        self.assigned.difference_update(partitions)
        self.diary.append((self.name, "revoked", tuple(sorted(partitions))))


@asynccontextmanager
async def reading(
    log: EventLog,
    topic: str,
    group: str,
    name: str = "reader",
    diary: list[tuple[str, str, tuple[int, ...]]] | None = None,
) -> AsyncIterator[LogReader]:
    """A member within the context."""
    reader = LogReader(name, log.consumer(topic, group), [] if diary is None else diary)
    await reader.start()
    try:
        yield reader
    finally:
        await reader.consumer.close()


async def poll_until_shared(readers: Sequence[LogReader], partitions: int) -> None:
    """Poll with all members until each has an even share of the partitions."""
    least = partitions // len(readers)
    async with asyncio.timeout(DEADLINE):
        while (
            any(len(reader.assigned) < least for reader in readers)
            or sum(len(reader.assigned) for reader in readers) < partitions
        ):
            await asyncio.gather(*(reader.poll() for reader in readers))
