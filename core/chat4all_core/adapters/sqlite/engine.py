"""The embedded adapters of one data directory, opened and closed together."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from chat4all_core.adapters.sqlite.contact_store import SqliteContactStore
from chat4all_core.adapters.sqlite.conversation_store import SqliteConversationStore
from chat4all_core.adapters.sqlite.data_dir import locked_data_dir
from chat4all_core.adapters.sqlite.database import Database, DatabaseSettings
from chat4all_core.adapters.sqlite.dead_letter_store import SqliteDeadLetterStore
from chat4all_core.adapters.sqlite.deferred_deliveries import SqliteDeferredDeliveries
from chat4all_core.adapters.sqlite.delivery_ledger import SqliteDeliveryLedger
from chat4all_core.adapters.sqlite.delivery_state_store import SqliteDeliveryStateStore
from chat4all_core.adapters.sqlite.event_log import EventLogSettings, SqliteEventLog
from chat4all_core.adapters.sqlite.file_store import SqliteFileStore
from chat4all_core.adapters.sqlite.identity_store import SqliteIdentityStore
from chat4all_core.adapters.sqlite.janitor import JanitorSettings, running_janitor
from chat4all_core.adapters.sqlite.link_code_store import SqliteLinkCodeStore
from chat4all_core.adapters.sqlite.message_store import SqliteMessageStore
from chat4all_core.adapters.sqlite.provider_messages import SqliteProviderMessages
from chat4all_core.adapters.sqlite.receipt_store import SqliteReceiptStore
from chat4all_core.adapters.sqlite.refresh_token_store import SqliteRefreshTokenStore
from chat4all_core.adapters.sqlite.user_store import SqliteUserStore
from chat4all_core.adapters.sqlite.user_stream import SqliteUserStream, UserStreamSettings
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.engine import Engine


@dataclass(frozen=True, slots=True)
class SqliteSettings:
    """Of everything that lies in a data directory."""

    database: DatabaseSettings = field(default_factory=DatabaseSettings)
    event_log: EventLogSettings = field(default_factory=EventLogSettings)
    user_stream: UserStreamSettings = field(default_factory=UserStreamSettings)
    janitor: JanitorSettings = field(default_factory=JanitorSettings)


@asynccontextmanager
async def open_engine(data_dir: Path, clock: Clock, settings: SqliteSettings | None = None) -> AsyncIterator[Engine]:
    """Open what lies in a data directory, making it if need be, for the running event loop.

    It lies in two files, each with a writer of its own, so that appending to the log never waits for the stores.

    Raises:
        DataDirInUseError: another process works with it.
        NewerSchemaError: a newer release has written it.
    """
    settings = settings or SqliteSettings()
    async with AsyncExitStack() as stack:
        stack.enter_context(locked_data_dir(data_dir))
        store = await Database.open(data_dir / "store.db", "store", settings.database)
        stack.push_async_callback(store.aclose)
        log = await Database.open(data_dir / "log.db", "log", settings.database)
        stack.push_async_callback(log.aclose)
        streams = await SqliteUserStream.open(store, clock, settings.user_stream)
        files = await SqliteFileStore.open(store)
        await stack.enter_async_context(running_janitor(store, log, streams, clock, settings.janitor))
        yield Engine(
            log=SqliteEventLog(log, clock, settings.event_log),
            messages=SqliteMessageStore(store),
            receipts=SqliteReceiptStore(store),
            conversations=SqliteConversationStore(store),
            users=SqliteUserStore(store),
            refresh_tokens=SqliteRefreshTokenStore(store, clock),
            contacts=SqliteContactStore(store),
            link_codes=SqliteLinkCodeStore(store, clock),
            identities=SqliteIdentityStore(store),
            delivery_states=SqliteDeliveryStateStore(store),
            streams=streams,
            ledger=SqliteDeliveryLedger(store, clock),
            provider_messages=SqliteProviderMessages(store, clock),
            deferred=SqliteDeferredDeliveries(store),
            dead_letters=SqliteDeadLetterStore(store, clock),
            files=files,
        )
