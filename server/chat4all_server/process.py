"""The composition root of a server process of the distributed platform."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog
from prometheus_client import CollectorRegistry

from chat4all_channels.accounts import open_accounts
from chat4all_channels.accounts_file import AccountsFileError
from chat4all_core.adapters.auth.secret_file import SecretFileError
from chat4all_core.adapters.cassandra.stores import open_stores
from chat4all_core.adapters.kafka.log_admin import KafkaLogAdmin
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.app.read_lag import ReadLag
from chat4all_core.config import Settings
from chat4all_core.distributed.engine import open_distributed_engine
from chat4all_core.distributed.file_storage import open_s3_storage
from chat4all_core.distributed.setup import ENGINE_ERRORS
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.user_store import UserStore
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import open_tracer
from chat4all_server.bootstrap import build_server, open_security
from chat4all_server.lag_report import LagReport
from chat4all_server.server import PortError

_GRACE_SECONDS = 10.0

START_ERRORS = (*ENGINE_ERRORS, AccountsFileError, SecretFileError, PortError)
"""What whoever starts the process can mend: they need the message, not a traceback."""

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def open_users(settings: Settings) -> AsyncIterator[UserStore]:
    """The accounts alone.

    Raises:
        UnavailableError, QueryRefusedError, SchemaMissingError: they can't be had.
    """
    async with open_stores(settings.cassandra, system_clock) as stores:
        yield stores.users


async def serve(settings: Settings, drain: asyncio.Event, stop: asyncio.Event) -> None:
    """Serve until `stop` is set, or `drain` and some time has passed. What was started is ended in reverse order,
    also when a later part can't start.

    Raises:
        SecretFileError, OSError: there are no keys.
        PortError: a port is taken.
        AccountsFileError: the file with the accounts on channels holds mistakes.
        Those of `open_distributed_engine` and `open_s3_storage`.
    """
    metrics = Metrics(registry := CollectorRegistry())
    async with AsyncExitStack() as stack:
        security = stack.enter_context(open_security(settings, system_clock, create_keys=settings.auth.create_keys))
        opened = await stack.enter_async_context(open_distributed_engine(settings, system_clock))
        tracer = open_tracer("chat4all-server", settings.telemetry.traces)
        stack.callback(tracer.close)
        accounts = await stack.enter_async_context(open_accounts(settings.channels.accounts_file))
        server = build_server(
            opened.engine,
            security=security,
            storage=await stack.enter_async_context(open_s3_storage(settings, system_clock)),
            accounts=accounts,
            limiter=opened.limiter,
            codec=ProtobufEventCodec(),
            clock=system_clock,
            settings=settings,
            registry=registry,
            metrics=metrics,
            tracer=tracer,
        )
        await server.start()
        stack.push_async_callback(server.stop, _GRACE_SECONDS)
        lag = ReadLag(registry=opened.generations, log=KafkaLogAdmin(settings.kafka), channels=accounts)
        reporting = asyncio.create_task(LagReport(lag, metrics).run())
        stack.callback(reporting.cancel)
        _log.info("serving", address=settings.server.address, grpc_port=server.grpc_port, web_port=server.web_port)
        await _first_of(drain, stop)
        await server.withdraw()
        if not stop.is_set():
            _log.info("draining", seconds=settings.server.drain_seconds)
            await _set_within(stop, settings.server.drain_seconds)
        _log.info("stopping")


async def _first_of(*events: asyncio.Event) -> None:
    waiting = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


async def _set_within(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
