"""gRPC and gRPC-Web through the public port."""

import asyncio
import base64
import json
import struct
import subprocess
from typing import Any

import aiohttp
import grpc
import pytest
from google.rpc.status_pb2 import Status
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from chat4all.identity.v1 import identity_service_pb2 as identity
from chat4all.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from chat4all.messaging.v1 import messaging_service_pb2 as messaging
from chat4all.messaging.v1.messaging_service_pb2_grpc import MessagingServiceStub
from chat4all_standalone.envoy import EnvoySettings

REGISTER = "/chat4all.identity.v1.IdentityService/RegisterUser"


async def test_unary(channel: grpc.aio.Channel) -> None:
    """A unary call passes."""
    response = await IdentityServiceStub(channel).RegisterUser(identity.RegisterUserRequest(username="ada"))
    assert response.user.username == "ada"


async def test_errors_pass_unchanged(channel: grpc.aio.Channel, backend: Any) -> None:
    """A server's status reaches gRPC callers with its details."""

    async def refuse(request: identity.RegisterUserRequest, context: Any) -> None:
        await context.abort_with_status(rpc_status.to_status(Status(code=9, message="no")))

    backend.identity.register = refuse
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await IdentityServiceStub(channel).RegisterUser(identity.RegisterUserRequest())
    assert rpc_status.from_call(caught.value) == Status(code=9, message="no")


async def test_bidirectional_stream(channel: grpc.aio.Channel) -> None:
    """Each message of a bidirectional stream is answered while the stream stays open."""
    call = MessagingServiceStub(channel).SendMessageStream()
    for request_id in ("1", "2"):
        message = messaging.SendMessageRequest(request_id=request_id)
        await call.write(messaging.SendMessageStreamRequest(message=message))
        assert (await call.read()).request_id == request_id
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


async def test_large_metadata_is_refused(channel: grpc.aio.Channel) -> None:
    """More than 64 KiB of metadata end the call, and the next one passes."""
    stub = IdentityServiceStub(channel)
    metadata = [(f"x-large-{n}", "x" * 30_000) for n in range(3)]
    with pytest.raises(grpc.aio.AioRpcError):
        await stub.RegisterUser(identity.RegisterUserRequest(), metadata=metadata)
    await stub.RegisterUser(identity.RegisterUserRequest())


async def test_health_is_public_and_channelz_is_not(channel: grpc.aio.Channel) -> None:
    """Any gRPC tool may ask for health; the inside of the servers is not shown."""
    health = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert health.status == health_pb2.HealthCheckResponse.SERVING
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await channelz_pb2_grpc.ChannelzStub(channel).GetServers(channelz_pb2.GetServersRequest())
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


async def test_grpcurl_by_reflection(channel: grpc.aio.Channel, settings: EnvoySettings, grpcurl: str) -> None:
    """Grpcurl needs nothing but the public port to list, describe and call."""
    address = f"{settings.public[0]}:{settings.public[1]}"
    assert "chat4all.identity.v1.IdentityService" in (await _run(grpcurl, address, "list")).split()
    assert "rpc RegisterUser" in await _run(grpcurl, address, "describe", "chat4all.identity.v1.IdentityService")
    printed = await _run(grpcurl, "-d", '{"username": "ada"}', address, REGISTER.removeprefix("/"))
    assert json.loads(printed) == {"user": {"username": "ada"}}


@pytest.mark.parametrize("text", [False, True], ids=["binary", "base64"])
async def test_grpc_web(rest: aiohttp.ClientSession, text: bool) -> None:
    """A gRPC-Web call is answered by a message frame and a trailer frame."""
    request = _frame(identity.RegisterUserRequest(username="ada").SerializeToString())
    headers, frames = await _grpc_web(rest, REGISTER, request, text=text)
    assert headers["access-control-allow-origin"] == "https://app.example"
    (message, trailers) = frames
    assert identity.RegisterUserResponse.FromString(message).user.username == "ada"
    assert b"grpc-status:0" in trailers


async def test_grpc_web_stream(rest: aiohttp.ClientSession, backend: Any) -> None:
    """A streamed answer arrives over gRPC-Web frame by frame."""
    backend.status.release.set()
    _headers, frames = await _grpc_web(rest, "/chat4all.status.v1.StatusService/Subscribe", _frame(b""))
    assert len(frames) == 3
    assert b"grpc-status:0" in frames[-1]


async def test_grpc_web_unknown_method(rest: aiohttp.ClientSession) -> None:
    """An unknown method is a gRPC status to gRPC-Web callers, with details."""
    headers, _ = await _grpc_web(rest, "/nope.Nope/Nope", _frame(b""))
    assert headers["grpc-status"] == "12"
    assert headers["grpc-message"] == "there is no such method or path"
    encoded = headers["grpc-status-details-bin"]
    status = Status.FromString(base64.b64decode(encoded + "=" * (-len(encoded) % 4)))
    assert status.code == 12


@pytest.mark.parametrize("path", [REGISTER, "/v1/messages", "/.well-known/jwks.json"])
async def test_cors_preflight(rest: aiohttp.ClientSession, path: str) -> None:
    """A browser on any origin may call every path, without credentials."""
    asked = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,x-grpc-web,x-any",
    }
    async with rest.options(path, headers=asked) as response:
        assert response.status == 200
        assert response.headers["access-control-allow-origin"] == "https://app.example"
        assert "PATCH" in response.headers["access-control-allow-methods"]
        allowed = response.headers["access-control-allow-headers"]
        assert "authorization" in allowed
        assert "*" in allowed
        assert "access-control-allow-credentials" not in response.headers


async def test_cors_on_answers_and_errors(rest: aiohttp.ClientSession) -> None:
    """A browser may read answers, Envoy's own errors and the headers of gRPC statuses."""
    for path in ("/v1/users?username=ada", "/v1/nothing"):
        async with rest.get(path, headers={"origin": "https://app.example"}) as response:
            assert response.headers["access-control-allow-origin"] == "https://app.example"
            exposed = response.headers["access-control-expose-headers"]
            for name in ("grpc-status", "grpc-message", "grpc-status-details-bin"):
                assert name in exposed


async def _grpc_web(
    rest: aiohttp.ClientSession, path: str, body: bytes, *, text: bool = False
) -> tuple[Any, list[bytes]]:
    kind = "application/grpc-web-text" if text else "application/grpc-web+proto"
    headers = {"content-type": kind, "accept": kind, "x-grpc-web": "1", "origin": "https://app.example"}
    async with rest.post(path, data=base64.b64encode(body) if text else body, headers=headers) as response:
        assert response.status == 200
        received = await response.read()
        return response.headers, list(_frames(base64.b64decode(received) if text else received))


def _frame(message: bytes) -> bytes:
    return struct.pack(">BI", 0, len(message)) + message


def _frames(body: bytes) -> list[bytes]:
    frames = []
    while body:
        _, length = struct.unpack(">BI", body[:5])
        frames.append(body[5 : 5 + length])
        body = body[5 + length :]
    return frames


async def _run(grpcurl: str, *arguments: str) -> str:
    command = [grpcurl, "-plaintext", *arguments]
    process = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()
