"""The embedded adapters of one data directory, opened and closed together."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from chat4all_core.adapters.sqlite.conversation_store import SqliteConversationStore
from chat4all_core.adapters.sqlite.data_dir import locked_data_dir
from chat4all_core.adapters.sqlite.database import Database, DatabaseSettings
from chat4all_core.adapters.sqlite.event_log import EventLogSettings, SqliteEventLog
from chat4all_core.adapters.sqlite.message_store import SqliteMessageStore
from chat4all_core.adapters.sqlite.user_store import SqliteUserStore
from chat4all_core.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class SqliteSettings:
    """Of everything that lies in a data directory."""

    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    event_log: EventLogSettings = field(default_factory=EventLogSettings)


@dataclass(frozen=True, slots=True)
class SqliteEngine:
    """The adapters. They share two files, each with a writer of its own: appending to the log never waits
    for the stores."""

    log_database: Database
    store_database: Database
    event_log: SqliteEventLog
    message_store: SqliteMessageStore
    conversation_store: SqliteConversationStore
    user_store: SqliteUserStore


@contextlib.asynccontextmanager
async def open_engine(
    data_dir: Path, clock: Clock, settings: SqliteSettings | None = None
) -> AsyncIterator[SqliteEngine]:
    """Open what lies in a data directory, making it if need be, for the running event loop.

    Raises:
        DataDirInUseError: another process works with it.
        NewerSchemaError: a newer release has written it.
    """
    settings = settings or SqliteSettings()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(locked_data_dir(data_dir))
        store = await Database.open(data_dir / "store.db", "store", settings.database)
        stack.push_async_callback(store.aclose)
        log = await Database.open(data_dir / "log.db", "log", settings.database)
        stack.push_async_callback(log.aclose)
        yield SqliteEngine(
            log_database=log,
            store_database=store,
            event_log=SqliteEventLog(log, clock, settings.event_log),
            message_store=SqliteMessageStore(store),
            conversation_store=SqliteConversationStore(store),
            user_store=SqliteUserStore(store),
        )
