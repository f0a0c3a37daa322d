"""Deletes, now and then, what nobody needs any more."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import structlog

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.expiry import delete_expired
from chat4all_core.adapters.sqlite.log_retention import delete_committed
from chat4all_core.adapters.sqlite.user_stream import SqliteUserStream
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.clock import Clock

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class JanitorSettings:
    """What is kept, and how often the rest is looked for."""

    interval_seconds: float = 60.0
    log_age: int = 24 * 3_600 * SECOND
    """How long a record is kept though every group has committed it."""


@asynccontextmanager
async def running_janitor(
    store: Database, log: Database, streams: SqliteUserStream, clock: Clock, settings: JanitorSettings
) -> AsyncIterator[None]:
    """A janitor works within the context."""
    task = asyncio.create_task(_clean_for_ever(store, log, streams, clock, settings))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _clean_for_ever(
    store: Database, log: Database, streams: SqliteUserStream, clock: Clock, settings: JanitorSettings
) -> None:
    while True:
        try:
            await delete_committed(log, Timestamp(clock() - settings.log_age))
            await streams.trim_expired()
            await delete_expired(store, clock())
        except UnavailableError:
            _log.warning("cleaning up was put off")
        except Exception:  # a fault here must not end the cleaning for good, unseen
            _log.exception("cleaning up failed")
        await asyncio.sleep(settings.interval_seconds)
