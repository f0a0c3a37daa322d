"""A database file: group commit, and what happens when it can't."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from chat4all_core.adapters.sqlite.database import Database, DatabaseSettings
from chat4all_core.adapters.sqlite.migration import NewerSchemaError
from chat4all_core.domain.errors import Reason, UnavailableError


def put(key: str) -> Callable[[sqlite3.Connection], None]:
    """A job that stores a row under a key that is not used yet."""

    def insert(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO topics (name, generation, partitions) VALUES (?, 1, 1)", (key,))

    return insert


def keys(connection: sqlite3.Connection) -> list[str]:
    """All keys in the order of storing."""
    return [key for (key,) in connection.execute("SELECT name FROM topics ORDER BY topic_id").fetchall()]


@pytest_asyncio.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """An open database with the schema of the log."""
    database = await Database.open(tmp_path / "log.db", "log", DatabaseSettings(max_queued=100))
    yield database
    await database.aclose()


async def test_jobs_run_in_the_order_of_submission(database: Database) -> None:
    """Whoever submits first is stored first, and a read sees all that was acknowledged before it."""
    wanted = [str(n) for n in range(50)]
    await asyncio.gather(*(database.write(put(key)) for key in wanted))
    assert await database.read(keys) == wanted


async def test_a_failing_job_fails_alone(database: Database) -> None:
    """Jobs that are committed together with one that fails are stored all the same, and only it sees its error."""
    names = ["a", "b", "a", "c", "b", "d"]
    outcomes = await asyncio.gather(*(database.write(put(key)) for key in names), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [
        *(type(None), type(None), sqlite3.IntegrityError),
        *(type(None), sqlite3.IntegrityError, type(None)),
    ]
    assert await database.read(keys) == ["a", "b", "c", "d"]


async def test_a_failing_job_leaves_nothing_of_itself(database: Database) -> None:
    """What a job wrote before it failed is undone, and caches are told to forget."""
    forgotten = []
    database.on_rollback(lambda: forgotten.append(True))

    def half(connection: sqlite3.Connection) -> None:
        put("half")(connection)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await database.write(half)
    assert await database.read(keys) == []
    assert forgotten


async def test_a_failing_read_fails_alone(database: Database) -> None:
    """Other reads of the same burst are answered."""
    good, bad = await asyncio.gather(
        database.read(keys), database.read(lambda c: c.execute("SELECT nothing")), return_exceptions=True
    )
    assert good == []
    assert isinstance(bad, sqlite3.OperationalError)


async def test_what_comes_after_is_called_though_nobody_waits(database: Database) -> None:
    """A cancelled caller does not keep others from hearing that its write is durable."""
    heard: list[str] = []

    def store(connection: sqlite3.Connection) -> str:
        put("a")(connection)
        return "stored"

    future = database.submit(store, heard.append)
    future.cancel()
    await database.write(put("b"))
    assert heard == ["stored"]
    assert await database.read(keys) == ["a", "b"]


async def test_a_failure_afterwards_is_its_callers(database: Database) -> None:
    """When what comes after a write fails, its caller is told, and the others of the group are answered."""

    def fail(_: None) -> None:
        raise ValueError("no")

    failing, good = database.submit(put("a"), fail), database.submit(put("b"))
    await good
    with pytest.raises(ValueError, match="no"):
        await failing


async def test_too_many_jobs_are_refused(database: Database) -> None:
    """Beyond the bound callers are told to come back, and the others are served."""
    outcomes = await asyncio.gather(*(database.write(put(str(n))) for n in range(300)), return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, UnavailableError)]
    assert refused
    assert all(error.retry_after > 0 for error in refused)
    assert len(await database.read(keys)) == 300 - len(refused)


async def test_a_full_disk_is_survived(database: Database) -> None:
    """While there is no room writes are refused, nothing of them is stored and reads go on; with room again,
    writes succeed."""
    await database.write(put("before"))
    await database.write(lambda c: c.execute("PRAGMA max_page_count = 1").fetchall())
    for _ in range(2):
        with pytest.raises(UnavailableError) as refused:
            await database.write(put("x" * 100_000))
        assert refused.value.reason is Reason.STORAGE_FULL
        assert not database.healthy
    assert await database.read(keys) == ["before"]
    await database.write(lambda c: c.execute("PRAGMA max_page_count = 100000").fetchall())
    await database.write(put("x" * 100_000))
    assert database.healthy
    assert len(await database.read(keys)) == 2


async def test_closing_finishes_what_is_queued(tmp_path: Path) -> None:
    """Jobs that were taken are done before the file is closed; later ones are refused."""
    database = await Database.open(tmp_path / "log.db", "log")
    futures = [database.submit(put(str(n))) for n in range(50)]
    await database.aclose()
    await asyncio.gather(*futures)
    with pytest.raises(UnavailableError):
        await database.write(put("late"))
    await database.aclose()
    database = await Database.open(tmp_path / "log.db", "log")
    assert len(await database.read(keys)) == 50
    await database.aclose()


async def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    """A file that a newer release has written is left alone, and the message names it."""
    path = tmp_path / "log.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 1000")
    connection.close()
    with pytest.raises(NewerSchemaError, match=r"log\.db has schema version 1000"):
        await Database.open(path, "log")


async def test_writes_are_durable_at_once(database: Database) -> None:
    """The files are used with a write-ahead log that is synced at every commit."""
    modes = await database.write(
        lambda c: [c.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
    )
    assert modes == ["wal", 2]
