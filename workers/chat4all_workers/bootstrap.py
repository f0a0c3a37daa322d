"""The composition root of the workers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from chat4all_channels.accounts import ChannelAccounts
from chat4all_core.app.record_status import RecordStatus
from chat4all_core.app.request_deliveries import RequestDeliveries
from chat4all_core.app.route_messages import RouteMessages
from chat4all_core.config import WORKER_ROLES
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import Tracer
from chat4all_workers.handler import Handler
from chat4all_workers.handlers.router import RouterHandler
from chat4all_workers.handlers.status import StatusHandler
from chat4all_workers.inbound.wiring import build_inbound
from chat4all_workers.runtime import Worker


@dataclass(frozen=True, slots=True)
class WorkerParts:
    """What the roles are made of."""

    engine: Engine
    codec: EventCodec
    accounts: ChannelAccounts
    metrics: Metrics
    clock: Clock


def build_workers(parts: WorkerParts, tracer: Tracer, roles: Sequence[str] = WORKER_ROLES) -> Sequence[Worker]:
    """One worker of every role that there is something to do for. Run each as a task of its own."""
    handlers = [handler for role in roles if (handler := _HANDLERS[role](parts)) is not None]
    return [Worker(handler, parts.engine.log, parts.metrics, tracer) for handler in handlers]


def _router(parts: WorkerParts) -> Handler:
    engine, codec = parts.engine, parts.codec
    router = RouteMessages(
        messages=engine.messages,
        receipts=engine.receipts,
        conversations=engine.conversations,
        streams=engine.streams,
        request_deliveries=RequestDeliveries(log=engine.log, codec=codec),
        codec=codec,
    )
    return RouterHandler(router, codec, parts.metrics)


def _status(parts: WorkerParts) -> Handler:
    engine, codec = parts.engine, parts.codec
    status = RecordStatus(
        messages=engine.messages,
        receipts=engine.receipts,
        delivery_states=engine.delivery_states,
        conversations=engine.conversations,
        streams=engine.streams,
        codec=codec,
    )
    return StatusHandler(status, codec)


def _inbound(parts: WorkerParts) -> Handler | None:
    if not parts.accounts:
        return None
    return build_inbound(parts.engine, parts.accounts, None, parts.codec, parts.metrics, parts.clock)


_HANDLERS: Mapping[str, Callable[[WorkerParts], Handler | None]] = dict(
    zip(WORKER_ROLES, (_router, _status, _inbound), strict=True)
)
