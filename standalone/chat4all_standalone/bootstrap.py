"""The composition root of the standalone platform: everything in one process, Envoy as its child."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry

from chat4all_channels.accounts import open_accounts
from chat4all_core.adapters.memory.rate_limiter import MemoryRateLimiter
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.adapters.sqlite.agreement import require_agreement
from chat4all_core.adapters.sqlite.engine import SqliteSettings, open_engine
from chat4all_core.adapters.sqlite.event_log import EventLogSettings
from chat4all_core.adapters.sqlite.user_stream import UserStreamSettings
from chat4all_core.app import record_status, route_messages
from chat4all_core.config import Settings
from chat4all_core.domain.timestamp import SECOND
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.event_log import MESSAGE_ACCEPTED, STATUS_UPDATED
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import open_tracer
from chat4all_server.bootstrap import build_server, open_file_storage, open_security
from chat4all_standalone.envoy import EnvoyProcess, EnvoySettings
from chat4all_standalone.simulated_channels import SimulatedChannels, simulated_channels
from chat4all_workers.bootstrap import WorkerParts, build_workers
from chat4all_workers.running import running

_ROOT = Path(__file__).resolve().parents[2]
_GRACE_SECONDS = 10.0
TOPICS_OF_ROLES = {route_messages.ROLE: MESSAGE_ACCEPTED, record_status.ROLE: STATUS_UPDATED}


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform that serves."""

    url: str
    grpc_target: str
    simulators: str | None
    """URL of the page of the simulated channels, where there are some."""
    failed: asyncio.Event
    """Set when a part of it has ended by itself: the rest is not worth keeping."""


@asynccontextmanager
async def open_platform(settings: Settings) -> AsyncIterator[Platform]:
    """Serve within the context. What was started is stopped in reverse order, also when a later part can't start."""
    data_dir = settings.data.dir
    failed = asyncio.Event()
    metrics = Metrics(registry := CollectorRegistry())
    codec = ProtobufEventCodec()
    require_agreement(data_dir, TOPICS_OF_ROLES)
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_engine(data_dir, system_clock, _sqlite_settings(settings)))
        tracer = open_tracer("chat4all", settings.telemetry.traces)
        stack.callback(tracer.close)
        simulated = await _simulated(stack, settings)
        accounts_file = simulated.accounts_file if simulated else settings.channels.accounts_file
        accounts = await stack.enter_async_context(open_accounts(accounts_file))
        storage = await stack.enter_async_context(open_file_storage(settings, system_clock))
        limiter = MemoryRateLimiter(time.monotonic)
        parts = WorkerParts(
            engine=engine,
            codec=codec,
            accounts=accounts,
            metrics=metrics,
            clock=system_clock,
            storage=storage,
            limiter=limiter,
            settings=settings,
        )
        await stack.enter_async_context(running(build_workers(parts, tracer), failed))

        server = build_server(
            engine,
            security=stack.enter_context(open_security(settings, system_clock)),
            storage=storage,
            accounts=accounts,
            limiter=limiter,
            codec=codec,
            clock=system_clock,
            settings=settings,
            registry=registry,
            metrics=metrics,
            tracer=tracer,
        )
        await server.start()
        stack.push_async_callback(server.stop, _GRACE_SECONDS)

        envoy = EnvoyProcess(_envoy_settings(settings, server.grpc_port, server.web_port))
        stack.push_async_callback(envoy.stop)
        await envoy.start()
        await stack.enter_async_context(_watched(envoy, failed))
        # Stopping goes the other way round, but for this: subscribers hear through Envoy that the server goes away.
        stack.push_async_callback(server.stop, _GRACE_SECONDS)
        yield Platform(
            url=_public_url(settings),
            grpc_target=f"{_reachable(settings.server.address)}:{server.grpc_port}",
            simulators=simulated.page if simulated else None,
            failed=failed,
        )


async def _simulated(stack: AsyncExitStack, settings: Settings) -> SimulatedChannels | None:
    if settings.channels.accounts_file is not None or not settings.channels.simulated:
        return None
    return await stack.enter_async_context(simulated_channels(settings.data.dir, _public_url(settings)))


def _public_url(settings: Settings) -> str:
    return f"http://{_reachable(settings.envoy.address)}:{settings.envoy.port}"


def _sqlite_settings(settings: Settings) -> SqliteSettings:
    return SqliteSettings(
        event_log=EventLogSettings(partitions=settings.log.partitions),
        user_stream=UserStreamSettings(
            max_events=settings.stream.max_events, max_age=settings.stream.max_age_hours * 3_600 * SECOND
        ),
    )


def _envoy_settings(settings: Settings, grpc_port: int, web_port: int) -> EnvoySettings:
    server = _reachable(settings.server.address)
    return EnvoySettings(
        public=(settings.envoy.address, settings.envoy.port),
        grpc=((server, grpc_port),),
        web=((server, web_port),),
        template=_ROOT / "envoy" / "envoy.yaml.tmpl",
        descriptors=_ROOT / "gen" / "envoy" / "chat4all.binpb",
        data_dir=settings.data.dir,
    )


@asynccontextmanager
async def _watched(envoy: EnvoyProcess, failed: asyncio.Event) -> AsyncIterator[None]:
    task = asyncio.create_task(envoy.wait())
    task.add_done_callback(lambda _: failed.set())
    try:
        yield
    finally:
        task.cancel()


def _reachable(address: str) -> str:
    """Where this machine reaches what listens on an address."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address, address)
