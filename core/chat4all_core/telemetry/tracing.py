"""Traces: what one request caused, across processes (W3C Trace Context).

Words. A *traceparent* is the text that names a place in a trace: `00-<trace id>-<span id>-<flags>`. It travels with
calls and with records of the event log. Carrying it costs one context variable; spans are made only where a tracer
has an exporter.
"""

import re
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import trace
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, ConsoleSpanExporter, SpanExporter
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, SpanKind, TraceFlags

__all__ = [
    "TRACEPARENT",
    "SpanKind",
    "Tracer",
    "current_trace_id",
    "current_traceparent",
    "enter_traceparent",
    "open_tracer",
    "trace_headers",
    "use_traceparent",
]

TRACEPARENT = "traceparent"
"""The name of the header."""

# Later versions may add fields, which are dropped; version ff and ids of zeros are not valid.
_VALID = re.compile(r"(?!ff)[0-9a-f]{2}-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})(?:-.*)?", re.ASCII)

_current: ContextVar[str | None] = ContextVar("traceparent", default=None)


def current_traceparent() -> str | None:
    """The place in a trace where this task is, or None outside any."""
    return _current.get()


def current_trace_id() -> str | None:
    """The trace in which this task is: 32 hexadecimal digits, or None outside any."""
    traceparent = _current.get()
    return None if traceparent is None else traceparent[3:35]


def trace_headers() -> Mapping[str, str]:
    """The headers that carry the trace to whoever gets a record or a call; empty outside any."""
    traceparent = _current.get()
    return {} if traceparent is None else {TRACEPARENT: traceparent}


def enter_traceparent(traceparent: str | None) -> None:
    """Be at this place, or in a new trace, until the task ends: for tasks that serve one call and nothing else, which
    so save what a block costs."""
    _current.set(_valid(traceparent) or _new_traceparent())


@contextmanager
def use_traceparent(traceparent: str | None) -> Iterator[None]:
    """Be at this place within the block; in a new trace where it is absent or, coming from a stranger, not valid."""
    token = _current.set(_valid(traceparent) or _new_traceparent())
    try:
        yield
    finally:
        _current.reset(token)


class Tracer:
    """Follows traces through one process. Without an exporter no spans are made, and traces pass through."""

    def __init__(self, service: str, exporter: SpanExporter | None = None) -> None:
        self._provider: TracerProvider | None = None
        self._tracer: trace.Tracer = trace.NoOpTracer()
        if exporter is not None:
            self._provider = TracerProvider(resource=Resource.create({SERVICE_NAME: service}), shutdown_on_exit=False)
            self._provider.add_span_processor(BatchSpanProcessor(exporter))
            self._tracer = self._provider.get_tracer("chat4all")

    @property
    def makes_spans(self) -> bool:
        """Whether there is an exporter."""
        return self._provider is not None

    @contextmanager
    def span(
        self,
        name: str,
        *,
        parent: str | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        links: Iterable[str] = (),
        attributes: Mapping[str, str | int] | None = None,
    ) -> Iterator[None]:
        """Be within a new span in the block; an exception that leaves the block marks it as failed.

        Args:
            parent: a traceparent that came from elsewhere; otherwise the place where the task is, or a new trace.
            links: traceparents of what a batch is made of; those that are not valid are passed over.
        """
        origin = _valid(parent) or _current.get()
        if self._provider is None:
            with use_traceparent(origin):
                yield
            return
        span = self._tracer.start_span(
            name,
            trace.set_span_in_context(NonRecordingSpan(_to_context(origin) if origin else trace.INVALID_SPAN_CONTEXT)),
            kind,
            attributes,
            [Link(_to_context(valid)) for link in links if (valid := _valid(link))],
        )
        with trace.use_span(span, end_on_exit=True), use_traceparent(_from_context(span.get_span_context())):
            yield

    def close(self) -> None:
        """Hand over the spans that were not exported yet. No span may follow."""
        if self._provider is not None:
            self._provider.shutdown()


def open_tracer(service: str, traces: str) -> Tracer:
    """The tracer for the setting `CHAT4ALL_TELEMETRY_TRACES`: off, or console (standard error)."""
    return Tracer(service, ConsoleSpanExporter(out=sys.stderr) if traces == "console" else None)


def _valid(traceparent: str | None) -> str | None:
    match = _VALID.fullmatch(traceparent) if traceparent else None
    return f"00-{match[1]}" if match else None


def _new_traceparent() -> str:
    # Not sampled: whoever records traces decides for itself where one begins.
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"


def _to_context(traceparent: str) -> SpanContext:
    _, trace_id, span_id, flags = traceparent.split("-")
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16)))


def _from_context(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
