"""A database file: one thread that writes, with group commit, and one that reads."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeVar

import structlog

from chat4all_core.adapters.sqlite.job_thread import Job, JobThread
from chat4all_core.adapters.sqlite.migration import migrate
from chat4all_core.domain.errors import Reason, UnavailableError

T = TypeVar("T")
_log = structlog.get_logger(__name__)

# Failures of the engine or of its disk, not of a statement: they pass, and the same call may succeed then.
_ENGINE_FAILURES = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_NOMEM,
        sqlite3.SQLITE_PROTOCOL,
        sqlite3.SQLITE_READONLY,
    }
)
_RETRY_FULL = 30.0  # as long as the store of files says


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """How a database file is used."""

    max_queued: int = 10_000
    """Jobs that may wait before more are refused."""
    cache_bytes: int = 16 << 20
    """Page cache of each of the two connections."""
    checkpoint_pages: int = 4_000
    """The write-ahead log is copied back when it is this long: a page that was written several times by
    then is copied once."""


class Database:
    """Jobs are functions of a connection. A write job may be called twice (see `_write_group`), so it must
    have no effect but through the connection, or on caches that `on_rollback` drops."""

    def __init__(self, path: Path, migrations: str, settings: DatabaseSettings) -> None:
        self._path = path
        self._migrations = migrations
        self._settings = settings
        self._rollback_listeners: list[Callable[[], None]] = []
        self._healthy = True
        self._writer = JobThread(f"{path.stem}-writer", self._connect_writer, self._write_group, settings.max_queued)
        self._reader = JobThread(f"{path.stem}-reader", self._connect, self._read_group, settings.max_queued)

    @classmethod
    async def open(cls, path: Path, migrations: str, settings: DatabaseSettings | None = None) -> Self:
        """Open a file, making it if need be, and bring its schema up to date.

        Args:
            path: of the file.
            migrations: the folder of its schema's scripts in this package's `migrations`.
            settings: defaults otherwise.

        Raises:
            NewerSchemaError: a newer release has written the file.
        """
        database = cls(path, migrations, settings or DatabaseSettings())
        await database._writer.open()
        try:
            await database._reader.open()
        except BaseException:
            await database._writer.aclose()
            raise
        return database

    @property
    def healthy(self) -> bool:
        """Whether the last group of writes could be committed."""
        return self._healthy

    def on_rollback(self, listener: Callable[[], None]) -> None:
        """Have a function called, in the writer's thread, whenever writes were undone: caches of what jobs
        have written must be dropped then."""
        self._rollback_listeners.append(listener)

    def submit(
        self, run: Callable[[sqlite3.Connection], T], after: Callable[[T], None] | None = None
    ) -> asyncio.Future[T]:
        """Queue a write at once; the future ends when it is durable. See `JobThread.submit`."""
        return self._writer.submit(run, after)

    async def write(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job in a transaction and wait until it is durable.

        Raises:
            UnavailableError: nothing of it was stored, unless the machine fails right now.
        """
        return await self._writer.submit(run)

    async def read(self, run: Callable[[sqlite3.Connection], T]) -> T:
        """Run a job that only reads. It sees every write that was acknowledged before the call, and one
        state of the database throughout."""
        return await self._reader.submit(run)

    async def aclose(self) -> None:
        """Finish what is queued and close the file."""
        await self._reader.aclose()
        await self._writer.aclose()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=5, isolation_level=None, cached_statements=2_048)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("PRAGMA secure_delete = FAST")
        connection.execute("PRAGMA journal_size_limit = 67108864")
        connection.execute(f"PRAGMA cache_size = -{self._settings.cache_bytes // 1024}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {self._settings.checkpoint_pages}")
        return connection

    def _connect_writer(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            migrate(connection, self._path, self._migrations)
        except BaseException:
            connection.close()
            raise
        return connection

    def _write_group(self, connection: sqlite3.Connection, jobs: Sequence[Job]) -> None:
        """One transaction for all; when a job fails, one for each, so that it fails alone."""
        error = _commit_together(connection, jobs)
        if error is None:
            self._healthy = True
            return
        for listener in self._rollback_listeners:
            listener()
        if _is_engine_failure(error):
            self._healthy = False
            _log.error("database write failed", database=self._path.name, error=str(error))
            for job in jobs:
                job.error = _unavailable(error)
        elif len(jobs) == 1:
            jobs[0].error = error
        else:
            for job in jobs:
                self._write_group(connection, [job])

    def _read_group(self, connection: sqlite3.Connection, jobs: Sequence[Job]) -> None:
        for job in jobs:
            try:
                connection.execute("BEGIN")
                try:
                    job.result = job.run(connection)
                finally:
                    connection.execute("COMMIT")
            except Exception as error:
                job.error = _unavailable(error) if _is_engine_failure(error) else error


def _commit_together(connection: sqlite3.Connection, jobs: Sequence[Job]) -> Exception | None:
    try:
        connection.execute("BEGIN IMMEDIATE")
        for job in jobs:
            job.result = job.run(connection)
        connection.execute("COMMIT")
    except Exception as error:
        if connection.in_transaction:  # SQLite undoes some failures by itself
            with contextlib.suppress(sqlite3.Error):
                connection.execute("ROLLBACK")
        return error
    return None


def _is_engine_failure(error: Exception) -> bool:
    return isinstance(error, sqlite3.Error) and _code_of(error) in _ENGINE_FAILURES


def _unavailable(error: Exception) -> UnavailableError:
    if _code_of(error) == sqlite3.SQLITE_FULL:
        unavailable = UnavailableError(Reason.STORAGE_FULL, "the database has no room left", _RETRY_FULL)
    else:
        unavailable = UnavailableError(Reason.UNAVAILABLE, "the database can't be used now", 1.0)
    unavailable.__cause__ = error
    return unavailable


def _code_of(error: Exception) -> int:
    """The primary one of SQLite's codes."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
