"""Traces."""

import asyncio
import re
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanContext, StatusCode, TraceFlags

from chat4all_core.telemetry.tracing import (
    SpanKind,
    Tracer,
    current_trace_id,
    current_traceparent,
    enter_traceparent,
    open_tracer,
    trace_headers,
    use_traceparent,
)

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
PARENT = f"00-{TRACE}-{SPAN}-01"


def test_outside_any_trace_there_is_nothing_to_carry() -> None:
    """Without a trace there are no headers and no id."""
    assert current_traceparent() is None
    assert current_trace_id() is None
    assert trace_headers() == {}


def test_a_trace_is_carried_on() -> None:
    """Within the block the given place is the current one, and afterwards the one before."""
    with use_traceparent(PARENT):
        assert current_traceparent() == PARENT
        assert current_trace_id() == TRACE
        assert trace_headers() == {"traceparent": PARENT}
    assert current_traceparent() is None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "nonsense",
        PARENT.upper(),
        PARENT + "-more?\n",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01\n",
    ],
)
def test_what_is_not_valid_begins_a_new_trace(text: str | None) -> None:
    """In place of an absent or wrong traceparent there is a new one, each time another."""
    with use_traceparent(text):
        first = current_traceparent()
    with use_traceparent(text):
        second = current_traceparent()
    assert first != second
    assert first is not None
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", first)


def test_a_later_version_is_read_as_this_one() -> None:
    """A traceparent of a later version is carried on without the fields that version 00 does not have."""
    with use_traceparent(f"cc-{TRACE}-{SPAN}-01-what-the-future-brings"):
        assert current_traceparent() == PARENT


async def test_a_task_may_stay_in_a_trace() -> None:
    """What a task enters without a block lasts as long as the task and is seen by no other."""

    async def serve(traceparent: str | None) -> str | None:
        enter_traceparent(traceparent)
        return current_traceparent()

    assert await asyncio.create_task(serve(PARENT)) == PARENT
    assert await asyncio.create_task(serve(None)) not in (None, PARENT)
    assert current_traceparent() is None


async def test_tasks_have_traces_of_their_own() -> None:
    """Two tasks at once do not see each other's trace; one that is started within a trace is in it."""

    async def inner() -> str | None:
        await asyncio.sleep(0)
        return current_trace_id()

    async def outer(trace_id: str) -> str | None:
        with use_traceparent(f"00-{trace_id}-{SPAN}-01"):
            return await asyncio.create_task(inner())

    ids = ["a" * 32, "b" * 32]
    assert await asyncio.gather(*map(outer, ids)) == ids


def test_without_an_exporter_a_span_only_carries_the_trace() -> None:
    """With tracing off a span leaves the place in the trace as it came."""
    tracer = Tracer("test")
    with tracer.span("outer", parent=PARENT), tracer.span("inner"):
        assert current_traceparent() == PARENT
    with tracer.span("alone"):
        assert current_trace_id() is not None
    tracer.close()


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


def _ids(context: SpanContext | None) -> tuple[str, str]:
    assert context is not None
    return f"{context.trace_id:032x}", f"{context.span_id:016x}"


def _finished(tracer: Tracer, exporter: InMemorySpanExporter) -> Sequence[ReadableSpan]:
    tracer.close()
    return exporter.get_finished_spans()


def test_spans_nest_under_what_came_in(exporter: InMemorySpanExporter) -> None:
    """With tracing on, a span is the child of the traceparent given, an inner one its child, and others continue it."""
    tracer = Tracer("test", exporter)
    attributes = {"rpc.method": "Send"}
    with (
        tracer.span("outer", parent=PARENT, kind=SpanKind.SERVER, attributes=attributes),
        tracer.span("inner"),
    ):
        carried = current_traceparent()
    inner, outer = _finished(tracer, exporter)
    assert (outer.name, outer.kind, dict(outer.attributes or {})) == ("outer", SpanKind.SERVER, attributes)
    assert outer.resource.attributes["service.name"] == "test"
    assert _ids(outer.parent) == (TRACE, SPAN)
    assert _ids(inner.parent) == _ids(outer.context)
    assert carried == "00-{}-{}-01".format(*_ids(inner.context))


def test_a_span_without_a_parent_begins_a_trace(exporter: InMemorySpanExporter) -> None:
    """With tracing on and nothing to continue, a span is the root of a new trace that is carried on as sampled."""
    tracer = Tracer("test", exporter)
    with tracer.span("root"):
        carried = current_traceparent()
    (root,) = _finished(tracer, exporter)
    assert root.parent is None
    assert carried is not None
    assert carried.startswith("00-{}-{}-".format(*_ids(root.context)))
    assert int(carried[-2:], 16) & TraceFlags.SAMPLED


def test_who_decides_not_to_record_is_obeyed(exporter: InMemorySpanExporter) -> None:
    """A trace that came as not sampled is carried on and not recorded."""
    tracer = Tracer("test", exporter)
    with tracer.span("quiet", parent=f"00-{TRACE}-{SPAN}-00"):
        assert current_trace_id() == TRACE
    assert _finished(tracer, exporter) == ()


def test_a_batch_is_linked_to_what_it_is_made_of(exporter: InMemorySpanExporter) -> None:
    """A span of a batch links to the trace of each record that has a valid one."""
    tracer = Tracer("test", exporter)
    with tracer.span("batch", links=[PARENT, "nonsense"]):
        pass
    (batch,) = _finished(tracer, exporter)
    assert [_ids(link.context) for link in batch.links] == [(TRACE, SPAN)]


def test_a_failure_marks_its_span(exporter: InMemorySpanExporter) -> None:
    """An exception passes through a span, which is marked as failed."""
    tracer = Tracer("test", exporter)
    with pytest.raises(ValueError, match="broken"), tracer.span("failing"):
        raise ValueError("broken")
    (failing,) = _finished(tracer, exporter)
    assert failing.status.status_code is StatusCode.ERROR
    assert current_traceparent() is None


def test_console_traces_go_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """With the setting `console` spans are printed on standard error, and standard output stays clean."""
    tracer = open_tracer("test", "console")
    with tracer.span("shown"):
        pass
    tracer.close()
    out, err = capsys.readouterr()
    assert '"name": "shown"' in err
    assert out == ""
