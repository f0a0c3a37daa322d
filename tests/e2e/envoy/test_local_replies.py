"""What Envoy answers by itself."""

import asyncio
import io
from typing import Any

import aiohttp
import grpc
import pytest
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from grpc_health.v1 import health_pb2
from grpc_status import rpc_status
from yarl import URL

from chat4all.errors.v1.error_reason_pb2 import ErrorReason
from chat4all.identity.v1 import identity_service_pb2 as identity
from chat4all.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from chat4all_standalone.envoy import EnvoyTimeouts
from chat4all_standalone.envoy.local_replies import local_reply_mappers

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE


async def assert_error(response: aiohttp.ClientResponse, http: int, code: int, reason: str) -> dict[str, Any]:
    """Assert that a response is google.rpc.Status as JSON, and return it."""
    assert response.status == http
    assert response.content_type == "application/json"
    body: dict[str, Any] = await response.json()
    assert body["code"] == code
    info = body["details"][0]
    assert info["@type"] == "type.googleapis.com/google.rpc.ErrorInfo"
    assert (info["reason"], info["domain"], info["metadata"]) == (reason, "chat4all", {})
    return body


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/v1/nothing"),
        ("DELETE", "/v1/messages"),
        ("OPTIONS", "/v1/messages"),
        ("POST", "/chat4all.identity.v1.IdentityService/RegisterUser"),
        ("GET", "/.well-known/other"),
    ],
)
async def test_unknown_methods_and_paths(rest: aiohttp.ClientSession, method: str, path: str) -> None:
    """A path, or a method on a path, that the contracts do not name is a 404 in JSON."""
    async with rest.request(method, path, data=b"{}" if method == "POST" else None) as response:
        await assert_error(response, 404, 12, "METHOD_NOT_FOUND")


async def test_upgrades_that_are_not_offered(rest: aiohttp.ClientSession) -> None:
    """A WebSocket handshake on a path that offers none is a 404 in JSON."""
    upgrade = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
    async with rest.get("/v1/events", headers=upgrade) as response:
        await assert_error(response, 404, 12, "METHOD_NOT_FOUND")


async def test_paths_that_are_no_path(rest: aiohttp.ClientSession) -> None:
    """A path with an escaped NUL is refused before any server sees it."""
    async with rest.get(URL("/v1/users/%00", encoded=True)) as response:
        await assert_error(response, 400, 3, "MALFORMED_REQUEST")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b'{"username":', "Unexpected end of string"),
        (b"[]", "Root element must be a message"),
        (b'{"username": 5}', "invalid value 5"),
        (b'{"username": "\\ud800"}', "Missing low surrogate"),
        (b'{"username": "\xff\xfe"}', "non UTF-8"),
    ],
)
async def test_bodies_that_are_no_message(rest: aiohttp.ClientSession, body: bytes, message: str) -> None:
    """A body that is not JSON of the request's type is a 400 with the transcoder's own explanation."""
    async with rest.post("/v1/users", data=body) as response:
        status = await assert_error(response, 400, 3, "MALFORMED_REQUEST")
    assert message in status["message"]


async def test_unknown_query_parameters(rest: aiohttp.ClientSession) -> None:
    """A query parameter that the request does not have is refused by name."""
    async with rest.get("/v1/users?nope=1") as response:
        status = await assert_error(response, 400, 3, "MALFORMED_REQUEST")
    assert '"nope"' in status["message"]


async def test_large_bodies(rest: aiohttp.ClientSession) -> None:
    """A body of more than 4 MiB is a 413 in JSON."""
    async with rest.post("/v1/users", data=io.BytesIO(b" " * 4_300_000)) as response:
        await assert_error(response, 413, 3, "MALFORMED_REQUEST")


@pytest.mark.parametrize("headers", [{"x-large": "x" * 70_000}, {f"x-{n}": "1" for n in range(101)}])
async def test_large_headers(rest: aiohttp.ClientSession, headers: dict[str, str]) -> None:
    """More than 64 KiB of headers, or more than 100, are a 431 in JSON."""
    async with rest.get("/v1/users", headers=headers) as response:
        await assert_error(response, 431, 3, "MALFORMED_REQUEST")


async def test_large_answers(rest: aiohttp.ClientSession, backend: Any) -> None:
    """An answer of more than 8 MiB is a 500 in JSON."""

    async def large(request: identity.RegisterUserRequest, context: Any) -> identity.RegisterUserResponse:
        return identity.RegisterUserResponse(user=identity.User(username="x" * 8_500_000))

    backend.identity.register = large
    async with rest.post("/v1/users", json={}) as response:
        await assert_error(response, 500, 13, "INTERNAL_ERROR")


async def test_server_away(rest: aiohttp.ClientSession, channel: grpc.aio.Channel, backend: Any) -> None:
    """Without a server, REST gets a 503 in JSON and gRPC an UNAVAILABLE, both saying when to try again."""
    await backend.stop()
    async with rest.get("/v1/users/me") as response:
        body = await assert_error(response, 503, 14, "UNAVAILABLE")
        assert response.headers["retry-after"] == "1"
    assert body["details"][1]["retry_delay"] == "1s"
    async with rest.get("/.well-known/jwks.json") as response:
        await assert_error(response, 503, 14, "UNAVAILABLE")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await IdentityServiceStub(channel).RegisterUser(identity.RegisterUserRequest())
    info, retry = details(caught.value, UNAVAILABLE)
    assert info.reason == "UNAVAILABLE"
    assert retry.retry_delay.seconds == 1


class TestTimeouts:
    """A unary call that the server does not answer."""

    @pytest.fixture
    def timeouts(self) -> EnvoyTimeouts:
        return EnvoyTimeouts(unary=0.2)

    async def test_slow_server(self, rest: aiohttp.ClientSession, channel: grpc.aio.Channel, backend: Any) -> None:
        """After the unary timeout REST gets a 504 in JSON and gRPC a DEADLINE_EXCEEDED."""

        async def never(request: identity.RegisterUserRequest, context: Any) -> None:
            await asyncio.Event().wait()

        backend.identity.register = never
        async with rest.post("/v1/users", json={}) as response:
            await assert_error(response, 504, 4, "DEADLINE_EXCEEDED")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await IdentityServiceStub(channel).RegisterUser(identity.RegisterUserRequest())
        assert details(caught.value, grpc.StatusCode.DEADLINE_EXCEEDED)[0].reason == "DEADLINE_EXCEEDED"


@pytest.mark.parametrize("method", ["/chat4all.identity.v1.IdentityService/Nope", "/nope.Nope/Nope"])
async def test_unknown_grpc_methods(channel: grpc.aio.Channel, method: str) -> None:
    """A gRPC method that the contracts do not name is UNIMPLEMENTED with its reason."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channel.unary_unary(method)(b"")
    assert details(caught.value, grpc.StatusCode.UNIMPLEMENTED)[0].reason == "METHOD_NOT_FOUND"


async def test_health_is_the_servers(rest: aiohttp.ClientSession, backend: Any) -> None:
    """GET /healthz is 200 while a server says SERVING, and 503 once none does; then calls are refused too."""
    async with rest.get("/healthz") as response:
        assert response.status == 200
        assert await response.json() == {"status": "SERVING"}
    await backend.say(health_pb2.HealthCheckResponse.NOT_SERVING)
    # Envoy's threads learn of it one after the other.
    for method, path in (("GET", "/healthz"), ("POST", "/v1/users")):
        while True:
            async with rest.request(method, path) as response:
                if response.status != 200:
                    await assert_error(response, 503, 14, "UNAVAILABLE")
                    break


def test_every_reason_is_of_the_contract() -> None:
    """Envoy's replies use reasons of errors/v1 only."""
    reasons = {
        detail["reason"]
        for mapper in local_reply_mappers("any")
        for detail in mapper["body_format_override"].get("json_format", {}).get("details", [])  # type: ignore[attr-defined]  # of Envoy's form
        if "reason" in detail
    }
    assert reasons
    assert reasons <= set(ErrorReason.Reason.keys())


def details(error: grpc.aio.AioRpcError, code: grpc.StatusCode) -> tuple[ErrorInfo, RetryInfo]:
    """Assert the status of an error and its domain, and return its ErrorInfo and RetryInfo."""
    assert error.code() == code
    status = rpc_status.from_call(error)
    assert status is not None
    assert status.message == error.details()
    info, retry = ErrorInfo(), RetryInfo()
    for detail in status.details:
        assert detail.Unpack(info) or detail.Unpack(retry)
    assert info.domain == "chat4all"
    return info, retry
