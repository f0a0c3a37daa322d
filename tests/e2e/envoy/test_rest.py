"""REST as the transcoder gives it."""

import io
import json
from typing import Any

import aiohttp
import grpc
from google.protobuf.duration_pb2 import Duration
from google.rpc.code_pb2 import Code
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status
from yarl import URL

from chat4all.identity.v1 import identity_service_pb2 as identity


async def test_json_keeps_proto_names_and_prints_empty_fields(rest: aiohttp.ClientSession) -> None:
    """A response spells fields as the contract does and shows those that are empty."""
    async with rest.post("/v1/users", json={"username": "ada", "unknown": 1}) as response:
        assert response.status == 200
        assert response.content_type == "application/json"
        assert await response.json() == {"user": {"user_id": "", "username": "ada", "email": ""}}


async def test_status_details_become_json(rest: aiohttp.ClientSession, backend: Any) -> None:
    """A gRPC error reaches REST as google.rpc.Status with every detail, under the matching HTTP status."""
    status = Status(code=Code.ALREADY_EXISTS, message="the username is taken")
    status.details.add().Pack(ErrorInfo(reason="USERNAME_TAKEN", domain="chat4all", metadata={"username": "ada"}))
    violation = BadRequest.FieldViolation(field="username", description="is taken")
    status.details.add().Pack(BadRequest(field_violations=[violation]))
    status.details.add().Pack(RetryInfo(retry_delay=Duration(seconds=2)))

    async def refuse(request: identity.RegisterUserRequest, context: Any) -> None:
        await context.abort_with_status(rpc_status.to_status(status))

    backend.identity.register = refuse
    async with rest.post("/v1/users", json={}) as response:
        assert response.status == 409
        body = await response.json()
    assert (body["code"], body["message"]) == (6, "the username is taken")
    info, bad_request, retry = body["details"]
    assert info == {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "USERNAME_TAKEN",
        "domain": "chat4all",
        "metadata": {"username": "ada"},
    }
    assert bad_request["field_violations"][0]["field"] == "username"
    assert retry["retry_delay"] == "2s"


async def test_an_error_after_headers_keeps_its_status(rest: aiohttp.ClientSession, backend: Any) -> None:
    """An error that follows the initial metadata still decides the HTTP status of a unary call."""

    async def refuse(request: identity.RegisterUserRequest, context: Any) -> None:
        await context.send_initial_metadata(())
        await context.abort(grpc.StatusCode.PERMISSION_DENIED, "no")

    backend.identity.register = refuse
    async with rest.post("/v1/users", json={}) as response:
        assert response.status == 403
        assert (await response.json())["code"] == 7


async def test_escapes_in_paths_and_queries_are_decoded(rest: aiohttp.ClientSession, backend: Any) -> None:
    """Percent escapes of reserved characters, and a plus in a query, mean what they mean to grpc-gateway."""
    async with rest.get("/v1/users?username=a+b%2Bc") as response:
        assert (await response.json())["user"]["username"] == "a b+c"
    escaped = URL("/v1/conversations/c/participants/whatsapp%3A%2B55", encoded=True)
    async with rest.delete(escaped) as response:
        assert response.status == 200
    async with rest.delete("/v1/conversations/c/participants/whatsapp:+56") as response:
        assert response.status == 200
    assert backend.messaging.removed == ["whatsapp:+55", "whatsapp:+56"]


async def test_nul_passes_to_the_server(rest: aiohttp.ClientSession) -> None:
    """A NUL is valid JSON and valid protobuf, so it is the server's to refuse."""
    async with rest.post("/v1/users", data=b'{"username": "a\\u0000b"}') as response:
        assert response.status == 200
        assert (await response.json())["user"]["username"] == "a\0b"


async def test_large_answers_pass(rest: aiohttp.ClientSession, backend: Any) -> None:
    """An answer of nearly 8 MiB is transcoded."""

    async def large(request: identity.RegisterUserRequest, context: Any) -> identity.RegisterUserResponse:
        return identity.RegisterUserResponse(user=identity.User(username="x" * 8_000_000))

    backend.identity.register = large
    async with rest.post("/v1/users", json={}) as response:
        assert response.status == 200
        assert len((await response.json())["user"]["username"]) == 8_000_000


async def test_requests_just_below_the_limit_pass(rest: aiohttp.ClientSession) -> None:
    """A body a little below 4 MiB reaches the server whole."""
    body = io.BytesIO(json.dumps({"username": "x" * 4_190_000}).encode())
    async with rest.post("/v1/users", data=body) as response:
        assert response.status == 200
        assert len((await response.json())["user"]["username"]) == 4_190_000


async def test_headers_reach_the_server(rest: aiohttp.ClientSession, backend: Any) -> None:
    """Request headers arrive as metadata, up to the 64 KiB that Envoy allows, and its own not from outside."""
    seen: dict[str, str] = {}

    async def note(request: identity.RegisterUserRequest, context: Any) -> identity.RegisterUserResponse:
        seen.update(dict(context.invocation_metadata()))
        return identity.RegisterUserResponse()

    backend.identity.register = note
    headers = {
        "authorization": "Bearer t",
        "x-large": "x" * 60_000,
        "x-forwarded-for": "203.0.113.9",
        "x-envoy-upstream-rq-timeout-ms": "1",
    }
    async with rest.post("/v1/users", json={}, headers=headers) as response:
        assert response.status == 200
    assert seen["authorization"] == "Bearer t"
    assert len(seen["x-large"]) == 60_000
    assert seen["x-forwarded-for"].split(",")[1:], "the address that Envoy saw comes after the claimed one"
    assert "x-envoy-upstream-rq-timeout-ms" not in seen


async def test_the_web_handler_is_behind_the_same_port(rest: aiohttp.ClientSession) -> None:
    """The server's plain HTTP handler answers for its paths."""
    async with rest.get("/.well-known/jwks.json") as response:
        assert response.status == 200
        assert await response.json() == {"keys": [{"kid": "1"}]}


async def test_streams_are_newline_delimited_json(rest: aiohttp.ClientSession, backend: Any) -> None:
    """A streamed answer is one JSON object a line, each sent when it happens."""
    async with rest.get("/v1/events") as response:
        assert response.status == 200
        assert b'"cursor":"first"' in await response.content.readline()
        backend.status.release.set()
        assert b'"cursor":"last"' in await response.content.readline()
        assert await response.content.read() == b""
