"""How calls are spread over servers, and when they are repeated."""

import dataclasses
from typing import Any

import aiohttp
import grpc
import pytest
from grpc_health.v1 import health_pb2

from chat4all.identity.v1 import identity_service_pb2 as identity
from chat4all_standalone.envoy import EnvoySettings


class TestTwoServers:
    """Two servers behind one Envoy."""

    @pytest.fixture
    def settings(self, settings: EnvoySettings, second_backend: Any) -> EnvoySettings:
        second = ("127.0.0.1", second_backend.grpc_port)
        return dataclasses.replace(settings, grpc=(*settings.grpc, second))

    async def test_both_are_used(self, rest: aiohttp.ClientSession, backend: Any, second_backend: Any) -> None:
        """Calls go to both servers."""
        used = set()
        for servers in (backend, second_backend):
            servers.identity.register = _note(used, servers)
        while len(used) < 2:
            async with rest.post("/v1/users", json={}) as response:
                assert response.status == 200

    async def test_one_is_lost(self, rest: aiohttp.ClientSession, second_backend: Any) -> None:
        """When one server is gone, no call fails: a refused connection is tried on the other."""
        await second_backend.server.stop(None)
        for _ in range(30):
            async with rest.post("/v1/users", json={}) as response:
                assert response.status == 200

    async def test_one_drains(self, rest: aiohttp.ClientSession, backend: Any, second_backend: Any) -> None:
        """A server that says NOT_SERVING gets no more calls, though it would answer them."""
        await second_backend.say(health_pb2.HealthCheckResponse.NOT_SERVING)
        used: set[Any] = set()
        for servers in (backend, second_backend):
            servers.identity.register = _note(used, servers)
        streak = 0
        while streak < 200:
            used.clear()
            async with rest.post("/v1/users", json={}) as response:
                assert response.status == 200
            streak = streak + 1 if used == {backend} else 0


async def test_what_a_server_refused_is_not_repeated(rest: aiohttp.ClientSession, backend: Any) -> None:
    """A call that reached a server is never sent twice by Envoy, whatever the answer."""
    calls = []

    async def refuse(request: identity.RegisterUserRequest, context: Any) -> None:
        calls.append(request)
        await context.abort(grpc.StatusCode.UNAVAILABLE, "full")

    backend.identity.register = refuse
    async with rest.post("/v1/users", json={}) as response:
        assert response.status == 503
        assert (await response.json())["message"] == "full"
    assert len(calls) == 1


def _note(used: set[Any], servers: Any) -> Any:
    async def register(request: identity.RegisterUserRequest, context: Any) -> identity.RegisterUserResponse:
        used.add(servers)
        return identity.RegisterUserResponse()

    return register
