"""The adapters that must keep the contracts of the ports."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio
from engine_endpoints import VARIABLE, engine_endpoints
from engine_under_test import EngineUnderTest, unique

from chat4all_core.adapters.sqlite.engine import SqliteSettings, open_engine
from chat4all_core.adapters.sqlite.event_log import EventLogSettings
from chat4all_core.adapters.sqlite.user_stream import UserStreamSettings
from chat4all_core.config import CassandraSection
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.engine import Engine

# Caches are tiny, so that the suites also see what lies behind them.
_SQLITE = SqliteSettings(
    event_log=EventLogSettings(max_pending_records=500, tail_records=100, session_timeout=0.5),
    user_stream=UserStreamSettings(max_events=40, watch_capacity=20, cached_streams=2),
)

_SUITES_OF_ENGINES = {
    "kafka": ("test_event_log", "test_consumer"),
    "redis": ("test_user_stream", "test_stream_watch", "test_stream_memory"),
    "cassandra": (
        "test_message_store",
        "test_receipt_store",
        "test_conversation_store",
        "test_user_store",
        "test_refresh_token_store",
        "test_file_store",
        "test_contact_store",
        "test_link_code_store",
        "test_identity_store",
        "test_delivery_state_store",
        "test_delivery_ledger",
        "test_provider_messages",
        "test_deferred_deliveries",
        "test_dead_letter_store",
    ),
}
"""Which suites an engine's adapters must pass; all others of their process are SQLite's."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Each kind of adapters in turn; those of engines where there are engines."""
    if "under_test" in metafunc.fixturenames:
        suite = metafunc.module.__name__.rpartition(".")[2]
        kinds = [engine for engine in engine_endpoints() if suite in _SUITES_OF_ENGINES.get(engine, ())]
        metafunc.parametrize("under_test", ["sqlite", *kinds], indirect=True)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what was left out."""
    if not engine_endpoints():
        terminalreporter.write_line(f"{VARIABLE} is not set: the contracts were tested on SQLite only")


@pytest.fixture
def under_test(request: pytest.FixtureRequest, tmp_path: Path) -> EngineUnderTest:
    """The kind of adapters at hand."""
    if request.param == "kafka":
        return _with_kafka(_sqlite(tmp_path))
    if request.param == "redis":
        return _with_redis(_sqlite(tmp_path))
    if request.param == "cassandra":
        return _with_cassandra(_sqlite(tmp_path), request.getfixturevalue("keyspace"))
    return _sqlite(tmp_path)


@pytest.fixture(scope="session")
def keyspace() -> Iterator[CassandraSection]:
    """One for all tests, for making tables takes long: each test brings ids of its own."""
    from cassandra_keyspace import migrated_keyspace

    with migrated_keyspace(engine_endpoints()["cassandra"]) as section:
        yield section


@pytest_asyncio.fixture
async def topic(under_test: EngineUnderTest) -> str:
    """A topic for one test."""
    return await under_test.new_topic()


@pytest_asyncio.fixture
async def engine(under_test: EngineUnderTest, topic: str) -> AsyncIterator[Engine]:
    """Opened for one test."""
    async with under_test.open() as engine:
        yield engine


def _sqlite(data_dir: Path) -> EngineUnderTest:
    async def new_topic() -> str:
        return unique("topic")

    return EngineUnderTest(
        open=lambda: open_engine(data_dir, system_clock, _SQLITE),
        new_topic=new_topic,
        session_timeout=_SQLITE.event_log.session_timeout,
        max_unanswered=_SQLITE.event_log.max_pending_records,
        max_events=_SQLITE.user_stream.max_events,
        watch_capacity=_SQLITE.user_stream.watch_capacity,
    )


def _with_kafka(embedded: EngineUnderTest) -> EngineUnderTest:
    # Here, so that tests without engines do without their clients.
    from kafka_platform import KafkaPlatform

    section = {"max_unanswered": embedded.max_unanswered, "max_poll_seconds": 2.0}
    platform = KafkaPlatform(engine_endpoints()["kafka"], **section)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Engine]:
        async with embedded.open() as engine, platform.open_log() as log:
            yield replace(engine, log=log)

    return replace(
        embedded, open=opened, new_topic=platform.new_topic, session_timeout=platform.section.max_poll_seconds
    )


def _with_redis(embedded: EngineUnderTest) -> EngineUnderTest:
    from redis_platform import open_streams, section_for

    from chat4all_core.adapters.redis.user_stream import UserStreamSettings

    section = section_for(engine_endpoints()["redis"])
    settings = UserStreamSettings(max_events=embedded.max_events, watch_capacity=embedded.watch_capacity)

    @asynccontextmanager
    async def opened() -> AsyncIterator[Engine]:
        async with embedded.open() as engine, open_streams(section, settings) as streams:
            yield replace(engine, streams=streams)

    return replace(embedded, open=opened)


def _with_cassandra(embedded: EngineUnderTest, section: CassandraSection) -> EngineUnderTest:
    from chat4all_core.adapters.cassandra.stores import open_stores

    @asynccontextmanager
    async def opened() -> AsyncIterator[Engine]:
        async with embedded.open() as engine, open_stores(section, system_clock) as stores:
            yield replace(
                engine,
                messages=stores.messages,
                receipts=stores.receipts,
                conversations=stores.conversations,
                users=stores.users,
                refresh_tokens=stores.refresh_tokens,
                files=stores.files,
                contacts=stores.contacts,
                link_codes=stores.link_codes,
                identities=stores.identities,
                delivery_states=stores.delivery_states,
                ledger=stores.ledger,
                provider_messages=stores.provider_messages,
                deferred=stores.deferred,
                dead_letters=stores.dead_letters,
            )

    return replace(embedded, open=opened)
