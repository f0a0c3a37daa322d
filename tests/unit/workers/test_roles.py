"""What the roles of workers need."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from channel_accounts import write_accounts
from prometheus_client import CollectorRegistry

from chat4all_channels.accounts import open_accounts
from chat4all_core.adapters.memory.rate_limiter import MemoryRateLimiter
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.adapters.sqlite.engine import open_engine
from chat4all_core.config import WORKER_ROLES, load_settings
from chat4all_core.ports.clock import system_clock
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import Tracer
from chat4all_workers.bootstrap import ROLES_WITH_FILES, WorkerParts, build_workers


@pytest.fixture
async def parts_without_files(tmp_path: Path) -> AsyncIterator[WorkerParts]:
    """Of a platform with channels, but for a store of files."""
    accounts_file = write_accounts(tmp_path / "accounts.toml")
    async with open_engine(tmp_path, system_clock) as engine, open_accounts(accounts_file) as accounts:
        yield WorkerParts(
            engine=engine,
            codec=ProtobufEventCodec(),
            accounts=accounts,
            metrics=Metrics(CollectorRegistry()),
            clock=system_clock,
            storage=None,
            limiter=MemoryRateLimiter(time.monotonic),
            settings=load_settings({}),
        )


async def test_only_some_roles_need_a_store_of_files(parts_without_files: WorkerParts) -> None:
    """A worker of any other role is built without one, so that its process needs none to start."""
    others = [role for role in WORKER_ROLES if role not in ROLES_WITH_FILES]
    workers = build_workers(parts_without_files, Tracer("test"), others)
    assert [worker.role for worker in workers] == others
    for role in ROLES_WITH_FILES:
        with pytest.raises(ValueError, match="no store of files"):
            build_workers(parts_without_files, Tracer("test"), [role])
