"""The adapters that must keep the contracts of the ports."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from engine_under_test import EngineUnderTest

from chat4all_core.adapters.sqlite.engine import SqliteSettings, open_engine
from chat4all_core.adapters.sqlite.event_log import EventLogSettings
from chat4all_core.adapters.sqlite.user_stream import UserStreamSettings
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.engine import Engine

# Caches are tiny, so that the suites also see what lies behind them.
_SQLITE = SqliteSettings(
    event_log=EventLogSettings(max_pending_records=500, tail_records=100, session_timeout=0.5),
    user_stream=UserStreamSettings(max_events=40, watch_capacity=20, cached_streams=2),
)


def _now() -> Timestamp:
    return Timestamp(time.time_ns() // 1_000)


@pytest.fixture(params=["sqlite"])
def under_test(request: pytest.FixtureRequest, tmp_path: Path) -> EngineUnderTest:
    """Each kind of adapters in turn."""
    assert request.param == "sqlite"
    return EngineUnderTest(
        open=lambda: open_engine(tmp_path, _now, _SQLITE),
        session_timeout=_SQLITE.event_log.session_timeout,
        max_unanswered=_SQLITE.event_log.max_pending_records,
        max_events=_SQLITE.user_stream.max_events,
        watch_capacity=_SQLITE.user_stream.watch_capacity,
    )


@pytest_asyncio.fixture
async def engine(under_test: EngineUnderTest) -> AsyncIterator[Engine]:
    """Opened for one test."""
    async with under_test.open() as engine:
        yield engine
