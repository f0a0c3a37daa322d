"""The composition root of the workers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from chat4all_channels.accounts import ChannelAccounts
from chat4all_channels.channel import Polls
from chat4all_core.app.file_use_cases import build_file_use_cases
from chat4all_core.app.record_status import RecordStatus
from chat4all_core.app.request_deliveries import RequestDeliveries
from chat4all_core.app.route_messages import RouteMessages
from chat4all_core.app.upload_file import UploadFile
from chat4all_core.config import WORKER_ROLES, Settings
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.ports.file_storage import FileStorage
from chat4all_core.ports.rate_limiter import RateLimiter
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import Tracer
from chat4all_workers.delivery.build_connector import build_connector
from chat4all_workers.delivery.delivery_files import DeliveryFiles
from chat4all_workers.handler import Handler
from chat4all_workers.handlers.dead_letter import DeadLetterHandler
from chat4all_workers.handlers.router import RouterHandler
from chat4all_workers.handlers.status import StatusHandler
from chat4all_workers.inbound.poller import Poller
from chat4all_workers.inbound.wiring import build_inbound
from chat4all_workers.running import Running
from chat4all_workers.runtime import Worker

ROLES_WITH_FILES = frozenset({"inbound", "connector"})
"""Those that handle the bytes of files."""


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What the roles are made of."""

    engine: Engine
    codec: EventCodec
    accounts: ChannelAccounts
    metrics: Metrics
    clock: Clock
    storage: FileStorage | None
    """Only ROLES_WITH_FILES need it."""
    limiter: RateLimiter
    settings: Settings


def build_workers(parts: WorkerParts, tracer: Tracer, roles: Sequence[str] = WORKER_ROLES) -> Sequence[Running]:
    """The workers of every role that there is something to do for: one, but a connector for each channel. Called
    within the event loop that they will run in. Run each as a task of its own."""
    return [worker for role in roles for worker in _BUILDERS[role](parts, tracer)]


def _worker(handler: Handler, parts: WorkerParts, tracer: Tracer) -> Worker:
    most = parts.settings.worker.max_rejections
    return Worker(handler, parts.engine.log, parts.metrics, tracer, parts.clock, most)


def _routers(parts: WorkerParts, tracer: Tracer) -> Sequence[Running]:
    engine, codec = parts.engine, parts.codec
    router = RouteMessages(
        messages=engine.messages,
        receipts=engine.receipts,
        conversations=engine.conversations,
        streams=engine.streams,
        request_deliveries=RequestDeliveries(log=engine.log, codec=codec),
        codec=codec,
    )
    return [_worker(RouterHandler(router, codec, parts.metrics), parts, tracer)]


def _status_workers(parts: WorkerParts, tracer: Tracer) -> Sequence[Running]:
    engine, codec = parts.engine, parts.codec
    status = RecordStatus(
        messages=engine.messages,
        receipts=engine.receipts,
        delivery_states=engine.delivery_states,
        conversations=engine.conversations,
        streams=engine.streams,
        codec=codec,
    )
    return [_worker(StatusHandler(status, codec), parts, tracer)]


def _inbound_workers(parts: WorkerParts, tracer: Tracer) -> Sequence[Running]:
    if not parts.accounts:
        return []
    handler = build_inbound(
        parts.engine,
        parts.accounts,
        _upload_file(parts),
        parts.settings.channels.max_media_bytes,
        parts.codec,
        parts.metrics,
        parts.clock,
    )
    worker = _worker(handler, parts, tracer)
    return [worker, *_pollers(parts, worker)]


def _pollers(parts: WorkerParts, inbound: Worker) -> Sequence[Running]:
    """Of all inbound workers the one that has the first partition asks."""
    return [
        Poller(
            channel, opened.account, parts.engine.log, parts.codec, parts.clock, parts.metrics, lambda: inbound.owns(0)
        )
        for channel, of_channel in parts.accounts.items()
        for opened in of_channel
        if isinstance(opened.account, Polls) and opened.account.is_polled
    ]


def _upload_file(parts: WorkerParts) -> UploadFile:
    files = build_file_use_cases(
        parts.engine.files, parts.engine.conversations, _storage(parts), parts.clock, parts.settings.files
    )
    return files.upload_file


def _dead_letter_workers(parts: WorkerParts, tracer: Tracer) -> Sequence[Running]:
    return [_worker(DeadLetterHandler(parts.engine.dead_letters), parts, tracer)]


def _connectors(parts: WorkerParts, _: Tracer) -> Sequence[Running]:
    wanted = parts.settings.worker.channels
    return [
        build_connector(
            channel,
            [opened.account for opened in of_channel],
            parts.engine,
            files=DeliveryFiles(_storage(parts).objects, parts.settings.files.link_seconds),
            limiter=parts.limiter,
            codec=parts.codec,
            clock=parts.clock,
            metrics=parts.metrics,
            max_rejections=parts.settings.worker.max_rejections,
        )
        for channel, of_channel in parts.accounts.items()
        if not wanted or channel in wanted
    ]


def _storage(parts: WorkerParts) -> FileStorage:
    if parts.storage is None:
        raise ValueError(f"there is no store of files, which {', '.join(sorted(ROLES_WITH_FILES))} need")
    return parts.storage


_BUILDERS: Mapping[str, Callable[[WorkerParts, Tracer], Sequence[Running]]] = {
    "router": _routers,
    "status": _status_workers,
    "inbound": _inbound_workers,
    "connector": _connectors,
    "dead_letter": _dead_letter_workers,
}
