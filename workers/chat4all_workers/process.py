"""The composition root of a worker process of the distributed platform."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from chat4all_channels.accounts import open_accounts
from chat4all_channels.accounts_file import AccountsFileError
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.app.engine_parts import engine_parts
from chat4all_core.app.engine_watch import EngineWatch
from chat4all_core.config import Settings
from chat4all_core.distributed.engine import open_distributed_engine
from chat4all_core.distributed.file_storage import open_s3_storage
from chat4all_core.distributed.setup import ENGINE_ERRORS
from chat4all_core.ports.clock import system_clock
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import open_tracer
from chat4all_workers.bootstrap import ROLES_WITH_FILES, WorkerParts, build_workers
from chat4all_workers.running import running
from chat4all_workers.web import PortError, build_application, serving

START_ERRORS = (*ENGINE_ERRORS, AccountsFileError, PortError)
"""What whoever starts the process can mend: they need the message, not a traceback."""

_log = structlog.get_logger(__name__)


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Work until `stop` is set or a worker ends by itself: its error is raised then. What was started is ended in
    reverse order, also when a later part can't start.

    Raises:
        PortError: the port is taken.
        AccountsFileError: the file with the accounts on channels holds mistakes.
        Those of `open_distributed_engine`, and of `open_s3_storage` where a role handles files.
    """
    metrics = Metrics(registry := CollectorRegistry())
    async with AsyncExitStack() as stack:
        opened = await stack.enter_async_context(open_distributed_engine(settings, system_clock))
        tracer = open_tracer("chat4all-workers", settings.telemetry.traces)
        stack.callback(tracer.close)
        accounts = await stack.enter_async_context(open_accounts(settings.channels.accounts_file))
        storage = None
        if not ROLES_WITH_FILES.isdisjoint(settings.worker.roles):
            storage = await stack.enter_async_context(open_s3_storage(settings, system_clock))
        parts = WorkerParts(
            engine=opened.engine,
            codec=ProtobufEventCodec(),
            accounts=accounts,
            metrics=metrics,
            clock=system_clock,
            storage=storage,
            limiter=opened.limiter,
            settings=settings,
        )
        workers = build_workers(parts, tracer, settings.worker.roles)
        watch = EngineWatch(engine_parts(parts.engine.log, parts.engine.users, parts.engine.streams), time.monotonic)
        await watch.check()
        await stack.enter_async_context(_in_background(watch.watch()))
        application = build_application(workers, registry, lambda: watch.away)
        port = await stack.enter_async_context(serving(application, settings.worker))
        # A worker that ends by itself ends the process, which whoever runs it starts again.
        await stack.enter_async_context(running(workers, failed=stop))
        _log.info("working", roles=settings.worker.roles, web_port=port)
        await stop.wait()
        _log.info("stopping")


@asynccontextmanager
async def _in_background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
