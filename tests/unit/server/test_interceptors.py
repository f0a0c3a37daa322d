"""What the interceptors do to calls of every shape, each over a real connection."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from prometheus_client import CollectorRegistry
from rpc_shapes import SERVICE, SHAPES, Shapes, reason_of, serve_shapes

from chat4all_core.adapters.memory.rate_limiter import MemoryRateLimiter
from chat4all_core.config import load_settings
from chat4all_core.domain.errors import NotFoundError, Reason
from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import Tracer, current_trace_id
from chat4all_server.bootstrap import open_security
from chat4all_server.call_limits import CallLimits
from chat4all_server.interceptors.authentication import caller
from chat4all_server.interceptors.chain import interceptor_chain
from chat4all_server.interceptors.deadline import Deadline
from chat4all_server.interceptors.error_mapping import ErrorMapping
from chat4all_server.security import Security

USER_ID = UserId(ParticipantId("0190163d-8694-739b-aea5-966c26f8ad91"))
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
HELLO = StringValue(value="hello").SerializeToString()
NOT_PROTOBUF = b"\xff\xff\xff"
NOT_UTF8 = b"\x0a\x02\xc3\x28"

every_shape = pytest.mark.parametrize("shape", SHAPES)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.now = Timestamp(1_700_000_000 * SECOND)

    def __call__(self) -> Timestamp:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def security(tmp_path: Path, clock: Clock) -> Iterator[Security]:
    with open_security(load_settings({"CHAT4ALL_DATA_DIR": str(tmp_path)}), clock) as opened:
        yield opened


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
async def shapes(security: Security, registry: CollectorRegistry) -> AsyncIterator[Shapes]:
    chain = interceptor_chain(
        metrics=Metrics(registry),
        tracer=Tracer("test"),
        issuer=security.issuer,
        public_methods=[f"/{SERVICE}/unary_stream"],
        limits=CallLimits(MemoryRateLimiter(lambda: 0.0), load_settings({}).limit),
    )
    async with serve_shapes(*chain) as served:
        yield served


@pytest.fixture
def token(security: Security) -> dict[str, Any]:
    return {"metadata": (("authorization", f"Bearer {security.issuer.issue(USER_ID)}"),)}


@every_shape
async def test_calls_pass_through(shapes: Shapes, token: dict[str, Any], shape: str) -> None:
    """A call that nobody objects to is served, again and again."""
    assert [await shapes.call(shape, HELLO, **token) for _ in range(2)] == ["hello", "hello"]


@every_shape
async def test_refusals_become_statuses(shapes: Shapes, token: dict[str, Any], shape: str) -> None:
    """What a use case refuses reaches the client with its code, its text and its reason."""

    async def refuse(_: str) -> str:
        raise NotFoundError(Reason.USER_NOT_FOUND, "there is no such user")

    shapes.service.act = refuse
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await shapes.call(shape, HELLO, **token)
    assert failed.value.code() is grpc.StatusCode.NOT_FOUND
    assert failed.value.details() == "there is no such user"
    assert reason_of(failed.value) == "USER_NOT_FOUND"


@every_shape
async def test_unforeseen_errors_say_nothing(shapes: Shapes, token: dict[str, Any], shape: str) -> None:
    """An error that nobody foresaw is INTERNAL, and its text does not get out."""

    async def fail(_: str) -> str:
        raise RuntimeError("the password is 1234")

    shapes.service.act = fail
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await shapes.call(shape, HELLO, **token)
    assert failed.value.code() is grpc.StatusCode.INTERNAL
    assert "1234" not in str(failed.value)
    assert reason_of(failed.value) == "INTERNAL_ERROR"


@every_shape
@pytest.mark.parametrize("request_bytes", [NOT_PROTOBUF, NOT_UTF8], ids=["not protobuf", "not utf-8"])
async def test_malformed_requests(shapes: Shapes, token: dict[str, Any], shape: str, request_bytes: bytes) -> None:
    """Bytes that are no request, and strings that are not UTF-8, are the client's fault and said to be."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await shapes.call(shape, request_bytes, **token)
    assert failed.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_of(failed.value) == "MALFORMED_REQUEST"


@pytest.mark.parametrize("path", [f"/{SERVICE}/Nothing", "/no.such.Service/Nothing"])
async def test_unknown_method(shapes: Shapes, path: str) -> None:
    """A method that does not exist is UNIMPLEMENTED, with a reason like any other error."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await shapes.channel.unary_unary(path)(HELLO)
    assert failed.value.code() is grpc.StatusCode.UNIMPLEMENTED
    assert reason_of(failed.value) == "METHOD_NOT_FOUND"


@pytest.mark.parametrize(
    "header", [(), (("authorization", ""),), (("authorization", "Basic abc"),), (("authorization", "Bearer "),)]
)
async def test_missing_token(shapes: Shapes, header: Any) -> None:
    """A call without an access token is told so."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await shapes.call("unary_unary", HELLO, metadata=header)
    assert failed.value.code() is grpc.StatusCode.UNAUTHENTICATED
    assert reason_of(failed.value) == "TOKEN_MISSING"


async def test_strangers_do_not_have_their_requests_decoded(shapes: Shapes) -> None:
    """Without a token even a malformed request is refused for want of the token."""
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await shapes.call("unary_unary", NOT_PROTOBUF)
    assert reason_of(failed.value) == "TOKEN_MISSING"


async def test_public_methods_need_no_token(shapes: Shapes) -> None:
    """A method that is public is served without a token."""
    assert await shapes.call("unary_stream", HELLO) == "hello"


async def test_token_expires(shapes: Shapes, token: dict[str, Any], clock: Clock, security: Security) -> None:
    """A token that was good is refused from its expiry on, however often it was seen before."""
    await shapes.call("unary_unary", HELLO, **token)
    clock.now = Timestamp(clock.now + security.issuer.lifetime * SECOND)
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await shapes.call("unary_unary", HELLO, **token)
    assert reason_of(failed.value) == "TOKEN_EXPIRED"


async def test_token_survives_a_clock_that_jumps_back(shapes: Shapes, token: dict[str, Any], clock: Clock) -> None:
    """A token from the future, as it seems after the clock was set back, is as good as it was."""
    clock.now = Timestamp(clock.now - 86_400 * SECOND)
    assert await shapes.call("unary_unary", HELLO, **token) == "hello"


async def test_scheme_has_no_case(shapes: Shapes, security: Security) -> None:
    """The scheme may be written in any case (RFC 9110, section 11.1)."""
    header = (("authorization", f"bearer {security.issuer.issue(USER_ID)}"),)
    assert await shapes.call("unary_unary", HELLO, metadata=header) == "hello"


@every_shape
async def test_services_know_the_caller(shapes: Shapes, token: dict[str, Any], shape: str) -> None:
    """Within a call, a service can ask who calls."""

    async def tell(_: str) -> str:
        return caller().user_id

    shapes.service.act = tell
    if shape != "unary_stream":  # the public one
        assert await shapes.call(shape, HELLO, **token) == USER_ID


@every_shape
async def test_trace_goes_on(shapes: Shapes, token: dict[str, Any], shape: str) -> None:
    """A call is in the trace that its traceparent names."""

    async def tell(_: str) -> str:
        return current_trace_id() or ""

    shapes.service.act = tell
    metadata = (*token["metadata"], ("traceparent", f"00-{TRACE_ID}-b7ad6b7169203331-01"))
    assert await shapes.call(shape, HELLO, metadata=metadata) == TRACE_ID


async def test_trace_begins(shapes: Shapes, token: dict[str, Any]) -> None:
    """Calls without a traceparent are each in a new trace."""

    async def tell(_: str) -> str:
        return current_trace_id() or ""

    shapes.service.act = tell
    traces = {await shapes.call("unary_unary", HELLO, **token) for _ in range(2)}
    assert len(traces - {""}) == 2


async def test_calls_are_measured(shapes: Shapes, token: dict[str, Any], registry: CollectorRegistry) -> None:
    """Calls are counted and timed by method and final status, and none is in flight afterwards."""
    await shapes.call("unary_unary", HELLO, **token)
    with pytest.raises(grpc.aio.AioRpcError):
        await shapes.call("unary_unary", NOT_PROTOBUF, **token)

    def count(code: str) -> float | None:
        labels = {"method": f"{SERVICE}/unary_unary", "code": code}
        return registry.get_sample_value("chat4all_rpc_server_duration_seconds_count", labels)

    assert (count("OK"), count("INVALID_ARGUMENT")) == (1, 1)
    in_flight = {"method": f"{SERVICE}/unary_unary"}
    assert registry.get_sample_value("chat4all_rpc_server_in_flight_calls", in_flight) == 0


async def never(_: str) -> str:
    await asyncio.Event().wait()
    return ""


@pytest.mark.parametrize(
    ("deadline", "timeout"),
    [(Deadline(default_seconds=0.01), None), (Deadline(longest_seconds=0.01), 3600)],
    ids=["none given", "trimmed"],
)
async def test_unary_calls_end(deadline: Deadline, timeout: float | None) -> None:
    """A call without a deadline gets one, and one that is too late is trimmed."""
    async with serve_shapes(ErrorMapping(), deadline) as shapes:
        shapes.service.act = never
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await shapes.call("unary_unary", HELLO, timeout=timeout)
    assert failed.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert reason_of(failed.value) == "DEADLINE_EXCEEDED"


async def test_timeouts_of_the_service_are_not_deadlines() -> None:
    """A TimeoutError from within a call is an error like any other."""

    async def time_out(_: str) -> str:
        raise TimeoutError

    async with serve_shapes(ErrorMapping(), Deadline()) as shapes:
        shapes.service.act = time_out
        with pytest.raises(grpc.aio.AioRpcError) as failed:
            await shapes.call("unary_unary", HELLO)
    assert reason_of(failed.value) == "INTERNAL_ERROR"


async def test_streams_have_no_deadline() -> None:
    """A stream outlives the deadline of unary calls."""
    over = asyncio.Event()

    async def wait(text: str) -> str:
        await over.wait()
        return text

    async with serve_shapes(ErrorMapping(), Deadline(default_seconds=0)) as shapes:
        shapes.service.act = wait
        stream = asyncio.create_task(shapes.call("unary_stream", HELLO))
        with pytest.raises(grpc.aio.AioRpcError):
            await shapes.call("unary_unary", HELLO)
        over.set()
        assert await stream == "hello"


async def test_cancelled_calls_are_cancelled() -> None:
    """When the client goes, what serves it is cancelled, and that is not taken for an error."""
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def wait(_: str) -> str:
        begun.set()
        try:
            return await never(_)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async with serve_shapes(ErrorMapping(), Deadline()) as shapes:
        shapes.service.act = wait
        call = asyncio.create_task(shapes.call("unary_unary", HELLO))
        await begun.wait()
        call.cancel()
        await cancelled.wait()
