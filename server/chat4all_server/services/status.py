"""chat4all.status.v1.StatusService."""

from contextlib import aclosing

import grpc

from chat4all.status.v1 import status_service_pb2 as pb
from chat4all_core.app.acknowledge import Acknowledge
from chat4all_core.app.subscribe import Frame, GoingAwayFrame, GoingAwayReason, Subscribe, Subscription
from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_core.telemetry.metrics import Metrics
from chat4all_server.errors import refusal_for
from chat4all_server.interceptors.authentication import caller
from chat4all_server.interceptors.interceptor import Context, Handler
from chat4all_server.stream_cursor import decode_cursor
from chat4all_server.subscribe_frame import serialize_frame

SERVICE = "chat4all.status.v1.StatusService"

_CLIENT_CLOSED = "client_closed"


class StatusService:
    """What happens, as it happens."""

    def __init__(self, *, subscribe: Subscribe, acknowledge: Acknowledge, metrics: Metrics) -> None:
        self._subscribe = subscribe
        self._acknowledge = acknowledge
        self._metrics = metrics

    async def Subscribe(self, request: pb.SubscribeRequest, context: Context) -> None:
        """See the contract. Nothing is buffered here: writing waits until the transport has room, and meanwhile no
        further event is taken from the stream. So a reader that stalls costs one frame and the transport's buffer
        (32 KiB a stream, measured with 200 of them), however much happens."""
        token = caller()
        subscription = Subscription(token.user_id, _position(request.cursor), request.conversation_id, token.expires_at)
        frame: Frame | None = None
        self._metrics.subscriptions_open.inc()
        try:
            async with aclosing(self._subscribe(subscription)) as frames:
                async for frame in frames:
                    await context.write(frame)
        except grpc.aio.InternalError:
            return  # the client is gone; there is nobody to tell, and nothing to log
        except Exception as error:
            if frame is None:
                raise
            # A status in mid-stream gets lost on the way through proxies, a frame does not.
            refusal_for(error, f"/{SERVICE}/Subscribe")
            frame = GoingAwayFrame(frame.position, GoingAwayReason.INTERNAL)
            await context.write(frame)
        finally:
            self._metrics.subscriptions_open.dec()
            self._metrics.subscriptions_ended.labels(_end(frame)).inc()

    async def Acknowledge(self, request: pb.AcknowledgeRequest, context: Context) -> pb.AcknowledgeResponse:
        """See the contract."""
        positions = [(ConversationId(p.conversation_id), p.sequence) for p in request.positions]
        await self._acknowledge(caller().user_id, _position(request.cursor), positions)
        return pb.AcknowledgeResponse()


def add_status_service(service: StatusService, server: grpc.aio.Server) -> None:
    """Register the service. Not by the generated function, for Subscribe has a serializer of its own."""
    handlers: dict[str, Handler] = {
        "Subscribe": grpc.unary_stream_rpc_method_handler(
            service.Subscribe,
            request_deserializer=pb.SubscribeRequest.FromString,
            response_serializer=serialize_frame,
        ),
        "Acknowledge": grpc.unary_unary_rpc_method_handler(
            service.Acknowledge,
            request_deserializer=pb.AcknowledgeRequest.FromString,
            response_serializer=pb.AcknowledgeResponse.SerializeToString,
        ),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))


def _position(cursor: str) -> StreamPosition | None:
    return decode_cursor(cursor) if cursor else None


def _end(frame: Frame | None) -> str:
    return frame.reason.name.lower() if isinstance(frame, GoingAwayFrame) else _CLIENT_CLOSED
