"""A service with one method of every shape, for what holds whatever a method does. Served by a real gRPC server."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from chat4all_server.interceptors.interceptor import Interceptor

SERVICE = "chat4all.test.v1.ShapesService"
SHAPES = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")

Act = Callable[[str], Awaitable[str]]


class ShapesService:
    """Every method does to each request what the test wants done: `act` returns the response's text, or raises."""

    def __init__(self) -> None:
        self.act: Act = self.echo

    async def echo(self, text: str) -> str:
        return text

    async def unary_unary(self, request: StringValue, context: Any) -> StringValue:
        return StringValue(value=await self.act(request.value))

    async def unary_stream(self, request: StringValue, context: Any) -> AsyncIterator[StringValue]:
        yield StringValue(value=await self.act(request.value))

    async def stream_unary(self, requests: AsyncIterator[StringValue], context: Any) -> StringValue:
        return StringValue(value="".join([await self.act(request.value) async for request in requests]))

    async def stream_stream(self, requests: AsyncIterator[StringValue], context: Any) -> None:
        async for request in requests:
            await context.write(StringValue(value=await self.act(request.value)))

    def handler(self) -> grpc.GenericRpcHandler:
        makers = {shape: getattr(grpc, f"{shape}_rpc_method_handler") for shape in SHAPES}
        methods = {
            shape: make(getattr(self, shape), StringValue.FromString, StringValue.SerializeToString)
            for shape, make in makers.items()
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)


class Shapes:
    """The served service and a client of it."""

    def __init__(self, service: ShapesService, channel: grpc.aio.Channel) -> None:
        self.service = service
        self.channel = channel

    async def call(self, shape: str, request: bytes = b"", **options: Any) -> str:
        """One call with one request; the text of its response."""
        method = getattr(self.channel, shape)(f"/{SERVICE}/{shape}", response_deserializer=StringValue.FromString)
        call = method(iter([request]) if shape.startswith("stream") else request, **options)
        if shape.endswith("unary"):
            return (await call).value
        return "".join([response.value async for response in call])


@asynccontextmanager
async def serve_shapes(*interceptors: Interceptor) -> AsyncIterator[Shapes]:
    """Serve the service behind interceptors on a free port."""
    service = ShapesService()
    server = grpc.aio.server(interceptors=interceptors)
    server.add_generic_rpc_handlers((service.handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Shapes(service, channel)
    finally:
        await server.stop(None)


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The reason that a refused call was given; empty when there is none."""
    status = rpc_status.from_call(error)
    return reason_in(status) if status else ""


def reason_in(status: Status) -> str:
    """The reason in a status; empty when there is none."""
    info = ErrorInfo()
    if not any(detail.Unpack(info) for detail in status.details):
        return ""
    assert info.domain == "chat4all"
    return info.reason
