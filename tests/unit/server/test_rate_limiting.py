"""Calls that come too often."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from google.rpc.error_details_pb2 import RetryInfo
from grpc_status import rpc_status
from prometheus_client import CollectorRegistry
from rpc_shapes import SERVICE, SHAPES, Shapes, reason_of, serve_shapes

from chat4all_core.adapters.memory.rate_limiter import MemoryRateLimiter
from chat4all_core.config import load_settings
from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import Tracer
from chat4all_server.bootstrap import open_security
from chat4all_server.call_limits import CallLimits
from chat4all_server.interceptors.chain import interceptor_chain
from chat4all_server.security import Security

ANN, BEN = (UserId(ParticipantId(f"0190163d-8694-739b-aea5-966c26f8ad9{n}")) for n in (1, 2))
HELLO = StringValue(value="hello").SerializeToString()
HOUR = 1 / 3_600


class Scene:
    """A server with limits, and its callers."""

    def __init__(self, shapes: Shapes, security: Security) -> None:
        self._shapes = shapes
        self._security = security
        self.refused_with: grpc.aio.AioRpcError | None = None

    async def call(self, user: UserId | None, shape: str = "unary_unary", forwarded_for: str = "") -> str:
        """Call as a user from an address; "OK", or why it was refused."""
        metadata = [("x-forwarded-for", forwarded_for)] if forwarded_for else []
        if user is not None:
            metadata.append(("authorization", f"Bearer {self._security.issuer.issue(user)}"))
        try:
            await self._shapes.call(shape, HELLO, metadata=metadata)
        except grpc.aio.AioRpcError as error:
            self.refused_with = error
            return reason_of(error)
        return "OK"


def retry_delay(error: grpc.aio.AioRpcError) -> float:
    """The seconds that a refusal says to wait."""
    status: Any = rpc_status.from_call(error)
    info = RetryInfo()
    assert any(detail.Unpack(info) for detail in status.details)
    return info.retry_delay.ToTimedelta().total_seconds()


@asynccontextmanager
async def limited(tmp_path: Path, **limits: Any) -> AsyncIterator[Scene]:
    """Serve with limits, as settings name them."""
    environ = {f"CHAT4ALL_LIMIT_{name.upper()}": str(value) for name, value in limits.items()}
    settings = load_settings({"CHAT4ALL_DATA_DIR": str(tmp_path), **environ})
    with open_security(settings, lambda: Timestamp(1_700_000_000 * SECOND)) as security:
        chain = interceptor_chain(
            metrics=Metrics(CollectorRegistry()),
            tracer=Tracer("test"),
            issuer=security.issuer,
            public_methods=[f"/{SERVICE}/unary_stream"],
            limits=CallLimits(MemoryRateLimiter(lambda: 0.0), settings.limit),
        )
        async with serve_shapes(*chain) as shapes:
            yield Scene(shapes, security)


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "unary_stream"])
async def test_users_are_limited_one_by_one(tmp_path: Path, shape: str) -> None:
    """A user who calls too often is told RATE_LIMITED and when to come back; others are not held up."""
    async with limited(tmp_path, user_per_second=HOUR, user_burst=2) as scene:
        assert [await scene.call(ANN, shape) for _ in range(3)] == ["OK", "OK", "RATE_LIMITED"]
        assert await scene.call(BEN, shape) == "OK"
        assert scene.refused_with is not None
        assert scene.refused_with.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert retry_delay(scene.refused_with) == pytest.approx(3_600, rel=0.01)


async def test_addresses_are_limited_whoever_calls(tmp_path: Path) -> None:
    """Calls count by the address that Envoy saw, which comes last, whatever the caller wrote before it; those without
    a good token count too."""
    async with limited(tmp_path, address_per_second=HOUR, address_burst=2) as scene:
        first = [await scene.call(user, forwarded_for=f"10.0.0.{n}, 192.0.2.1") for n, user in enumerate((ANN, None))]
        assert first == ["OK", "TOKEN_MISSING"]
        assert await scene.call(BEN, forwarded_for="192.0.2.1") == "RATE_LIMITED"
        assert await scene.call(BEN, forwarded_for="192.0.2.2") == "OK"


async def test_without_envoy_the_connection_counts(tmp_path: Path) -> None:
    """Callers who come to the server's own port are limited by the address that they come from."""
    async with limited(tmp_path, address_per_second=HOUR, address_burst=1) as scene:
        assert [await scene.call(user) for user in (ANN, BEN)] == ["OK", "RATE_LIMITED"]
        assert await scene.call(ANN, forwarded_for="127.0.0.1") == "RATE_LIMITED"


async def test_an_owner_of_many_addresses_is_one_caller(tmp_path: Path) -> None:
    """IPv6 addresses of one /64 share a limit; an IPv4 address in the form of IPv6 is itself."""
    async with limited(tmp_path, address_per_second=HOUR, address_burst=1) as scene:
        assert await scene.call(ANN, forwarded_for="2001:db8::1") == "OK"
        assert await scene.call(ANN, forwarded_for="2001:db8::2") == "RATE_LIMITED"
        assert await scene.call(ANN, forwarded_for="2001:db8:0:1::1") == "OK"
        assert await scene.call(ANN, forwarded_for="::ffff:192.0.2.1") == "OK"
        assert await scene.call(ANN, forwarded_for="::ffff:192.0.2.2") == "OK"


async def test_public_methods_have_no_user(tmp_path: Path) -> None:
    """What needs no token is limited by address alone."""
    async with limited(tmp_path, user_per_second=HOUR, user_burst=1, address_burst=10) as scene:
        assert [await scene.call(ANN, "unary_stream") for _ in range(3)] == ["OK"] * 3


async def test_zero_is_no_limit(tmp_path: Path) -> None:
    """A rate of 0 switches a limit off."""
    off = {"user_per_second": 0, "user_burst": 1, "address_per_second": 0, "address_burst": 1}
    async with limited(tmp_path, **off) as scene:
        assert [await scene.call(ANN) for _ in range(5)] == ["OK"] * 5
