"""The loop that every worker role runs in, when its log or its handler fails."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from engine_under_test import eventually
from log_reader import reading
from prometheus_client import CollectorRegistry

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.event_log import EventLogSettings, SqliteEventLog
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.event_log import Record
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import open_tracer
from chat4all_workers.handler import Done, Outcome, RetryAfter
from chat4all_workers.runtime import MAX_BATCH, Worker


class FailingTheFirstCommit:
    """A role that has its log's database refuse the next write once the first batch was handled."""

    topic = "topic"
    role = "role"

    def __init__(self, database: Database) -> None:
        self._database = database
        self.batches: list[list[bytes]] = []

    def partitions_changed(self, partitions: Sequence[int]) -> None:
        """There is no state."""

    async def handle(self, records: Sequence[Record]) -> Done:
        """Note what came."""
        self.batches.append([record.value for record in records])
        if len(self.batches) == 1:
            await self._database.write(self._refuse_once)
        return Done()

    def _refuse_once(self, connection: sqlite3.Connection) -> None:
        connection.execute("PRAGMA query_only = ON")
        self._database.on_rollback(lambda: connection.execute("PRAGMA query_only = OFF").close())


async def test_a_commit_that_fails_is_made_up_for(tmp_path: Path) -> None:
    """A worker whose batch was handled but could not be committed, as on a full disk, goes on: it handles the batch
    again and commits it then."""
    database = await Database.open(tmp_path / "log.db", "log")
    log = SqliteEventLog(database, lambda: Timestamp(0), EventLogSettings(partitions=1))
    handler = FailingTheFirstCommit(database)
    worker = Worker(handler, log, Metrics(CollectorRegistry()), open_tracer("test", "off"))
    running = asyncio.create_task(worker.run())
    await log.append("topic", "key", b"one")

    async def handled_again() -> bool:
        return running.done() or len(handler.batches) == 2

    await eventually(handled_again)
    worker.stop()
    await running
    assert handler.batches == [[b"one"], [b"one"]]
    await log.append("topic", "key", b"two")
    async with reading(log, "topic", "chat4all.role") as reader:
        assert [record.value for record in await reader.read(1)] == [b"two"]
    await database.aclose()


class OverwhelmedBy:
    """A role whose engine is too slow for batches of so many records, for the first so many records."""

    topic = "topic"
    role = "role"

    def __init__(self, too_many: int, slow_for: int) -> None:
        self._too_many = too_many
        self._slow_for = slow_for
        self.handled: list[bytes] = []
        self.largest_at_the_end = 0

    def partitions_changed(self, partitions: Sequence[int]) -> None:
        """There is no state."""

    async def handle(self, records: Sequence[Record]) -> Outcome:
        """Fail, or note what came."""
        if len(self.handled) < self._slow_for:
            if len(records) >= self._too_many:
                return RetryAfter(0, "too slow")
        else:
            self.largest_at_the_end = max(self.largest_at_the_end, len(records))
        self.handled += [record.value for record in records]
        return Done()


async def test_an_engine_that_is_slow_is_given_less_at_once(tmp_path: Path) -> None:
    """A worker whose batches fail for their size gets through in smaller ones, in order, and goes back to the largest
    when they succeed."""
    database = await Database.open(tmp_path / "log.db", "log")
    log = SqliteEventLog(database, lambda: Timestamp(0), EventLogSettings(partitions=1))
    values = [str(number).encode() for number in range(5 * MAX_BATCH)]
    await asyncio.gather(*(log.append("topic", "key", value) for value in values))
    handler = OverwhelmedBy(too_many=40, slow_for=100)
    worker = Worker(handler, log, Metrics(CollectorRegistry()), open_tracer("test", "off"))
    running = asyncio.create_task(worker.run())

    async def all_are_handled() -> bool:
        return running.done() or len(handler.handled) == len(values)

    await eventually(all_are_handled)
    worker.stop()
    await running
    assert handler.handled == values
    assert handler.largest_at_the_end == MAX_BATCH
    await database.aclose()
