"""What all interceptors have in common.

Words. A *method* is an RPC of a service. Its *behavior* is the coroutine function that serves one call of
it: it takes the request (or the iterator of requests) and the context, and returns the response, or for a
response stream writes to the context and returns None. An interceptor wraps behaviors.

grpc asks interceptors anew at every call. Wrapping is done once for each method, and the outermost
interceptor answers from its memory, so a call costs what the wrapped behaviors cost and nothing else.
"""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, TypeAlias

import grpc

from chat4all_server.errors import MethodNotFoundError, abort

Context = grpc.aio.ServicerContext[Any, Any]
# In quotes, for only the stubs know that the class is generic.
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Behavior = Callable[[Any, Context], Awaitable[Any]]
Deserializer = Callable[[bytes], Any]
Continuation: TypeAlias = "Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]]"


@dataclass(frozen=True, slots=True)
class Method:
    """An RPC."""

    path: str
    """As it is called: /package.Service/Method."""
    streaming: bool
    """Whether requests or responses are a stream."""

    @property
    def name(self) -> str:
        """package.Service/Method, as metrics and traces have it."""
        return self.path[1:]

    @property
    def service(self) -> str:
        """/package.Service/"""
        return self.path[: self.path.rindex("/") + 1]


class Interceptor(grpc.aio.ServerInterceptor):
    """Wraps the behavior of every method, whether it streams or not."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def wrap(self, method: Method, behavior: Behavior) -> Behavior:
        """The behavior with whatever this interceptor adds to it. Called once for each method."""
        return behavior

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: grpc.HandlerCallDetails
    ) -> "Handler | None":
        """Called by grpc at every call."""
        path = handler_call_details.method
        handler = self._handlers.get(path)
        if handler is None:
            inner = await continuation(handler_call_details)
            # Not remembered, for there is no end of names that do not exist.
            if inner is None or inner is _UNKNOWN_METHOD:
                return _UNKNOWN_METHOD
            method = Method(path, inner.request_streaming or inner.response_streaming)
            handler = self._handlers[path] = self.wrap_handler(method, inner)
        return handler

    def wrap_handler(self, method: Method, inner: Handler) -> Handler:
        """The handler with its behavior wrapped. Overridden by interceptors that change more than that."""
        return rebuild(inner, self.wrap(method, behavior_of(inner)), inner.request_deserializer)


def header(context: Context, name: str) -> str | None:
    """The first value of a header of the call, or None. The name is in lower case."""
    for key, value in context.invocation_metadata() or ():
        if key == name:
            return str(value)
    return None


def behavior_of(handler: Handler) -> Behavior:
    """The behavior of a handler; one that yields its responses is made one that writes them."""
    behavior: Any = handler.unary_unary or handler.unary_stream or handler.stream_unary or handler.stream_stream
    return _writing(behavior) if inspect.isasyncgenfunction(behavior) else behavior


def rebuild(handler: Handler, behavior: Behavior, request_deserializer: Deserializer | None) -> Handler:
    """The handler with another behavior and another way to read its requests."""
    make = _MAKERS[handler.request_streaming, handler.response_streaming]
    return make(behavior, request_deserializer, handler.response_serializer)


_MAKERS: dict[tuple[bool, bool], Callable[..., Handler]] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}


def _writing(generate: Callable[[Any, Context], AsyncGenerator[Any, None]]) -> Behavior:
    async def write_all(request: Any, context: Context) -> None:
        async with aclosing(generate(request, context)) as responses:
            async for response in responses:
                await context.write(response)

    return write_all


async def _refuse(_requests: Any, context: Context) -> None:
    await abort(context, MethodNotFoundError())


# A stream, for then it answers without reading, whatever the client sends.
_UNKNOWN_METHOD: Handler = grpc.stream_stream_rpc_method_handler(_refuse)
