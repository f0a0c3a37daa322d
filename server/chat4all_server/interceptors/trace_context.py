"""Puts every call at its place in a trace."""

from typing import Any

from chat4all_core.telemetry.tracing import TRACEPARENT, SpanKind, Tracer, enter_traceparent
from chat4all_server.interceptors.interceptor import Behavior, Context, Interceptor, Method, header


class TraceContext(Interceptor):
    """Goes on with the caller's trace, or begins one: logs, and the records that the call appends, carry it."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self._tracer = tracer

    def wrap(self, method: Method, behavior: Behavior) -> Behavior:
        """The behavior in its trace, and within a span where those are made."""
        attributes = {"rpc.system": "grpc", "rpc.method": method.name}

        async def carrying(request: Any, context: Context) -> Any:
            enter_traceparent(header(context, TRACEPARENT))
            return await behavior(request, context)

        async def traced(request: Any, context: Context) -> Any:
            parent = header(context, TRACEPARENT)
            with self._tracer.span(method.name, parent=parent, kind=SpanKind.SERVER, attributes=attributes):
                return await behavior(request, context)

        return traced if self._tracer.makes_spans else carrying
