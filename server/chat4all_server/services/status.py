"""chat4all.status.v1.StatusService."""

from contextlib import aclosing

import grpc

from chat4all.status.v1 import status_service_pb2 as pb
from chat4all_core.app.acknowledge import Acknowledge
from chat4all_core.app.subscribe import Subscribe, Subscription
from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_server.interceptors.authentication import caller
from chat4all_server.interceptors.interceptor import Context, Handler
from chat4all_server.stream_cursor import decode_cursor
from chat4all_server.subscribe_frame import serialize_frame

_SERVICE = "chat4all.status.v1.StatusService"


class StatusService:
    """What happens, as it happens."""

    def __init__(self, *, subscribe: Subscribe, acknowledge: Acknowledge) -> None:
        self._subscribe = subscribe
        self._acknowledge = acknowledge

    async def Subscribe(self, request: pb.SubscribeRequest, context: Context) -> None:
        """See the contract. Nothing is buffered here: writing waits until the transport has room, and meanwhile no
        further event is taken from the stream, so what a slow reader costs is one frame and the transport's buffer."""
        token = caller()
        subscription = Subscription(token.user_id, _position(request.cursor), request.conversation_id, token.expires_at)
        async with aclosing(self._subscribe(subscription)) as frames:
            async for frame in frames:
                await context.write(frame)

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
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))


def _position(cursor: str) -> StreamPosition | None:
    return decode_cursor(cursor) if cursor else None
