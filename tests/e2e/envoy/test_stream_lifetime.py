"""Streams that are quiet for longer than any timeout."""

import asyncio
from typing import Any

import aiohttp
import grpc.aio
import pytest

from chat4all.identity.v1 import identity_service_pb2 as identity
from chat4all.messaging.v1 import messaging_service_pb2 as messaging
from chat4all.messaging.v1.messaging_service_pb2_grpc import MessagingServiceStub
from chat4all.status.v1 import status_service_pb2 as status
from chat4all.status.v1.status_service_pb2_grpc import StatusServiceStub
from chat4all_standalone.envoy import EnvoyTimeouts


@pytest.fixture
def timeouts() -> EnvoyTimeouts:
    return EnvoyTimeouts(unary=0.5, idle=1.0, headers=0.5)


async def test_quiet_streams_are_not_cut(rest: aiohttp.ClientSession, channel: grpc.aio.Channel, backend: Any) -> None:
    """Subscriptions over REST and gRPC and a send stream outlive the unary and the idle timeout."""
    subscription = StatusServiceStub(channel).Subscribe(status.SubscribeRequest())
    assert (await subscription.read()).cursor == "first"
    sending = MessagingServiceStub(channel).SendMessageStream()
    await sending.write(messaging.SendMessageStreamRequest())
    await sending.read()
    async with rest.get("/v1/events") as lines:
        assert b"first" in await lines.content.readline()

        await _let_both_timeouts_pass(rest, backend)

        backend.status.release.set()
        assert b"last" in await lines.content.readline()
    assert (await subscription.read()).cursor == "last"
    assert await subscription.read() is grpc.aio.EOF
    await sending.write(messaging.SendMessageStreamRequest())
    await sending.read()


async def _let_both_timeouts_pass(rest: aiohttp.ClientSession, backend: Any) -> None:
    """Wait for three unary timeouts, one after the other."""

    async def never(request: identity.RegisterUserRequest, context: Any) -> None:
        await asyncio.Event().wait()

    backend.identity.register = never
    for _ in range(3):
        async with rest.post("/v1/users", json={}) as response:
            assert response.status == 504


async def test_a_stalled_request_is_ended(rest: aiohttp.ClientSession) -> None:
    """A body that stops arriving ends with a 408 in JSON."""

    async def half() -> Any:
        yield b'{"username":'
        await asyncio.Event().wait()

    async with rest.post("/v1/users", data=half()) as response:
        assert response.status == 408
        assert (await response.json())["code"] == 4


async def test_a_leaving_subscriber_is_noticed(rest: aiohttp.ClientSession, backend: Any) -> None:
    """A REST client that closes its connection ends the server's stream."""
    async with rest.get("/v1/events") as response:
        await response.content.readline()
        response.close()
    await backend.status.ended.wait()
