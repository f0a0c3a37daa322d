"""The composition root of the workers."""

from collections.abc import Sequence

from chat4all_core.app.record_status import RecordStatus
from chat4all_core.app.request_deliveries import RequestDeliveries
from chat4all_core.app.route_messages import RouteMessages
from chat4all_core.config import WORKER_ROLES
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import Tracer
from chat4all_workers.handler import Handler
from chat4all_workers.handlers.router import RouterHandler
from chat4all_workers.handlers.status import StatusHandler
from chat4all_workers.runtime import Worker


def build_workers(
    engine: Engine, codec: EventCodec, metrics: Metrics, tracer: Tracer, roles: Sequence[str] = WORKER_ROLES
) -> Sequence[Worker]:
    """One worker of every role. Run each as a task of its own."""
    return [Worker(_HANDLERS[role](engine, codec, metrics), engine.log, metrics, tracer) for role in roles]


def _router(engine: Engine, codec: EventCodec, metrics: Metrics) -> Handler:
    router = RouteMessages(
        messages=engine.messages,
        receipts=engine.receipts,
        conversations=engine.conversations,
        streams=engine.streams,
        request_deliveries=RequestDeliveries(log=engine.log, codec=codec),
        codec=codec,
    )
    return RouterHandler(router, codec, metrics)


def _status(engine: Engine, codec: EventCodec, _metrics: Metrics) -> Handler:
    status = RecordStatus(
        messages=engine.messages,
        receipts=engine.receipts,
        delivery_states=engine.delivery_states,
        conversations=engine.conversations,
        streams=engine.streams,
        codec=codec,
    )
    return StatusHandler(status, codec)


_HANDLERS = dict(zip(WORKER_ROLES, (_router, _status), strict=True))
