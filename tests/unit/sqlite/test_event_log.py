"""The event log when its database fails, and what it deletes."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from log_reader import reading

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.event_log import EventLogSettings, SqliteEventLog
from chat4all_core.adapters.sqlite.log_retention import delete_committed
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.event_log import LogContradictionError

_SETTINGS = EventLogSettings(partitions=1)


class SetClock:
    """Shows the time that it was set to."""

    def __init__(self) -> None:
        self.time = 0

    def __call__(self) -> Timestamp:
        return Timestamp(self.time)


@pytest.fixture
def clock() -> SetClock:
    """Starts at 0."""
    return SetClock()


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """The log's file."""
    database = await Database.open(tmp_path / "log.db", "log")
    yield database
    await database.aclose()


@pytest_asyncio.fixture
async def log(database: Database, clock: SetClock) -> SqliteEventLog:
    """A log whose topics have one partition."""
    return SqliteEventLog(database, clock, _SETTINGS)


async def kept(database: Database) -> list[int]:
    """The offsets in the database."""
    rows = await database.read(lambda c: c.execute("SELECT record_id & 0xFFFFFFFFFFF FROM records").fetchall())
    return [offset for (offset,) in rows]


async def test_a_full_disk_leaves_no_gap(database: Database, log: SqliteEventLog) -> None:
    """Appends that were refused for want of room leave no trace: the log says that it is not ready, and with room
    again the next record has the next offset."""
    await log.append("topic", "key", b"0")
    await database.write(lambda c: c.execute("PRAGMA max_page_count = 1").fetchall())
    with pytest.raises(UnavailableError):
        await log.append("topic", "key", b"x" * 100_000)
    assert not await log.ready()
    await database.write(lambda c: c.execute("PRAGMA max_page_count = 100000").fetchall())
    assert await log.ready()
    async with reading(log, "topic", "group") as reader:
        assert (await log.append("topic", "key", b"1")).offset == 1
        assert [r.value for r in await reader.read(2)] == [b"0", b"1"]


async def test_a_failing_neighbour_leaves_no_gap(database: Database, log: SqliteEventLog) -> None:
    """Appends that share their transaction with a job that fails are written once and in order."""

    def fail(connection: sqlite3.Connection) -> None:
        raise ValueError("no")

    appends, failures = [], []
    for n in range(30):
        appends.append(log.append("topic", "key", str(n).encode()))
        failures.append(database.submit(fail))
    outcomes = await asyncio.gather(*failures, return_exceptions=True)
    assert all(isinstance(outcome, ValueError) for outcome in outcomes)
    assert [source.offset for source in await asyncio.gather(*appends)] == list(range(30))
    async with reading(log, "topic", "group") as reader:
        assert [int(r.value) for r in await reader.read(30)] == list(range(30))


async def test_a_closed_database_refuses_appends(database: Database, log: SqliteEventLog) -> None:
    """Appending to a log that is being closed is answered, not forgotten."""
    await database.aclose()
    with pytest.raises(UnavailableError):
        await log.append("topic", "key", b"0")


async def test_only_what_every_group_has_committed_is_deleted(
    database: Database, log: SqliteEventLog, clock: SetClock
) -> None:
    """Records go once all groups have committed them and they are old enough; the newest one always stays."""
    for n in range(10):
        clock.time = n
        await log.append("topic", "key", str(n).encode())
    await delete_committed(database, Timestamp(100))
    assert await kept(database) == list(range(10))
    async with reading(log, "topic", "one") as one, reading(log, "topic", "two") as two:
        await one.commit(await one.read(10))
        await two.poll()
        await two.consumer.commit({0: 6})
    await delete_committed(database, Timestamp(4))
    assert await kept(database) == list(range(4, 10))
    await delete_committed(database, Timestamp(100))
    assert await kept(database) == list(range(6, 10))
    async with reading(log, "topic", "two") as two:
        assert [r.source.offset for r in await two.read(4)] == [6, 7, 8, 9]
        await two.consumer.commit({0: 10})
    await delete_committed(database, Timestamp(100))
    assert await kept(database) == [9]


async def test_deleting_makes_no_hole(database: Database, log: SqliteEventLog, clock: SetClock) -> None:
    """A record from a time when the clock was wrong keeps those after it."""
    for clock.time in (1, 50, 2, 3):
        await log.append("topic", "key", b"")
    async with reading(log, "topic", "group") as reader:
        await reader.commit(await reader.read(4))
    await delete_committed(database, Timestamp(10))
    assert await kept(database) == [1, 2, 3]


async def test_a_position_before_the_first_kept_record_is_a_contradiction(
    database: Database, log: SqliteEventLog, clock: SetClock
) -> None:
    """Going back to what was deleted is reported; a new group begins at the first record that is kept."""
    for _ in range(5):
        await log.append("topic", "key", b"")
    async with reading(log, "topic", "group") as reader:
        await reader.commit(await reader.read(5))
        clock.time = 1
        await delete_committed(database, Timestamp(1))
        reader.consumer.rewind({0: 0})
        with pytest.raises(LogContradictionError, match="topic, partition 0: to go on from offset 0"):
            await reader.poll()
        async with reading(log, "topic", "new group") as newcomer:
            assert [r.source.offset for r in await newcomer.read(1)] == [4]


async def test_records_that_go_while_they_are_read_are_missed_loudly(database: Database, clock: SetClock) -> None:
    """A consumer that is behind what it has committed itself finds out when the records in between are deleted."""
    log = SqliteEventLog(database, clock, EventLogSettings(partitions=1, tail_records=1))
    async with reading(log, "topic", "group") as reader:
        for _ in range(6):
            await log.append("topic", "key", b"")
        await reader.read(2, max_records=2)
        await reader.consumer.commit({0: 5})
        await delete_committed(database, Timestamp(1))
        with pytest.raises(LogContradictionError, match="offset 2, but the log begins at 5"):
            await reader.poll()


async def test_offsets_go_on_after_everything_old_was_deleted(
    database: Database, log: SqliteEventLog, clock: SetClock
) -> None:
    """A log that is opened again after deleting gives the offset after the newest record."""
    for _ in range(5):
        await log.append("topic", "key", b"")
    async with reading(log, "topic", "group") as reader:
        await reader.commit(await reader.read(5))
    await delete_committed(database, Timestamp(1))
    reopened = SqliteEventLog(database, clock, _SETTINGS)
    assert (await reopened.append("topic", "key", b"")).offset == 5
