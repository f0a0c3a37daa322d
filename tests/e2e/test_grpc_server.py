"""The server itself: its ports, its health, its end."""

import asyncio
import socket
from contextlib import suppress
from pathlib import Path

import aiohttp
import grpc
import jwt
import pytest
from grpc_channelz.v1 import channelz_pb2, channelz_pb2_grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_platform import GrpcPlatform, open_grpc_platform
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from rpc_shapes import reason_of

from chat4all.identity.v1 import identity_service_pb2
from chat4all.messaging.v1 import messaging_service_pb2 as messaging_pb
from chat4all.status.v1 import status_service_pb2 as status_pb
from chat4all_server.server import PortError

SERVICES = [
    identity_service_pb2.DESCRIPTOR.services_by_name["IdentityService"],
    messaging_pb.DESCRIPTOR.services_by_name["MessagingService"],
    status_pb.DESCRIPTOR.services_by_name["StatusService"],
]
UNKNOWN_ID = "0190163d-8694-739b-aea5-966c26f8ad91"


async def health_of(platform: GrpcPlatform, service: str) -> str:
    answer = await health_pb2_grpc.HealthStub(platform.channel).Check(health_pb2.HealthCheckRequest(service=service))
    return health_pb2.HealthCheckResponse.ServingStatus.Name(answer.status)


def in_flight(platform: GrpcPlatform, method: str) -> float | None:
    return platform.registry.get_sample_value("chat4all_rpc_server_in_flight_calls", {"method": method})


@pytest.mark.parametrize("setting", ["CHAT4ALL_SERVER_GRPC_PORT", "CHAT4ALL_SERVER_WEB_PORT"])
async def test_port_that_is_taken(tmp_path: Path, setting: str) -> None:
    """A port that another process has is refused, naming the setting to change."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with pytest.raises(PortError, match=f"{setting}.*{port}"):
            async with open_grpc_platform(tmp_path, **{setting: port}):
                pass
    async with open_grpc_platform(tmp_path, **{setting: port}):
        """Nothing was left open: with the port free, it starts."""


async def test_two_servers_do_not_share_a_port(grpc_platform: GrpcPlatform, tmp_path: Path) -> None:
    """A second server is refused the port of the first, instead of taking half of its connections."""
    port = str(grpc_platform.server.grpc_port)
    with pytest.raises(PortError):
        async with open_grpc_platform(tmp_path / "second", CHAT4ALL_SERVER_GRPC_PORT=port):
            pass


async def test_a_burst_of_calls_is_answered(grpc_platform: GrpcPlatform) -> None:
    """Thousands of calls that come at the same moment are all answered: none is cancelled without a reason."""
    answers = await asyncio.gather(*(health_of(grpc_platform, "") for _ in range(3_000)))
    assert set(answers) == {"SERVING"}


async def test_health(grpc_platform: GrpcPlatform) -> None:
    """A server whose engines are ready is healthy, as a whole and service by service."""
    for service in ("", *(service.full_name for service in SERVICES)):
        assert await health_of(grpc_platform, service) == "SERVING"


@pytest.mark.parametrize("path", [f"/{s.full_name}/{m.name}" for s in SERVICES for m in s.methods])
async def test_every_method_is_served(grpc_platform: GrpcPlatform, path: str) -> None:
    """Every method of the contracts is there, whatever it says to a stranger who sends nothing."""
    call = grpc_platform.channel.stream_stream(path)(iter([b""]))
    with suppress(grpc.aio.AioRpcError):
        await call.read()
        call.cancel()
    assert await call.code() is not grpc.StatusCode.UNIMPLEMENTED


async def test_reflection(grpc_platform: GrpcPlatform) -> None:
    """Tools can ask a server what it serves, without a token."""
    stub = reflection_pb2_grpc.ServerReflectionStub(grpc_platform.channel)
    call = stub.ServerReflectionInfo(iter([reflection_pb2.ServerReflectionRequest(list_services="")]))
    answer = await call.read()
    names = {service.name for service in answer.list_services_response.service}
    assert names >= {service.full_name for service in SERVICES}


async def test_channelz(grpc_platform: GrpcPlatform) -> None:
    """What a server knows of its connections is told to those with a token."""
    stub = channelz_pb2_grpc.ChannelzStub(grpc_platform.channel)
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await stub.GetServers(channelz_pb2.GetServersRequest())
    assert reason_of(failed.value) == "TOKEN_MISSING"
    ann = await grpc_platform.person("ann")
    answer = await stub.GetServers(channelz_pb2.GetServersRequest(), metadata=ann.metadata)
    assert len(answer.server) > 0


async def test_public_keys(grpc_platform: GrpcPlatform) -> None:
    """Anybody can check an access token by the published keys, which may be cached."""
    token = (await grpc_platform.person("ann")).token
    url = f"http://127.0.0.1:{grpc_platform.server.web_port}/.well-known/jwks.json"
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        keys = jwt.PyJWKSet.from_dict(await answer.json())
    key = keys[jwt.get_unverified_header(token)["kid"]]
    assert jwt.decode(token, key, ["EdDSA"], audience="chat4all", issuer="chat4all")


async def test_metrics_and_health_over_http(grpc_platform: GrpcPlatform) -> None:
    """Metrics are given as Prometheus reads them, and health as load balancers do."""
    await grpc_platform.person("ann")
    url = f"http://127.0.0.1:{grpc_platform.server.web_port}"
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{url}/metrics") as answer:
            metrics = await answer.text()
        async with session.get(f"{url}/healthz") as answer:
            assert (answer.status, await answer.json()) == (200, {"ready": True})
    method = "chat4all.identity.v1.IdentityService/RegisterUser"
    assert f'chat4all_rpc_server_duration_seconds_count{{code="OK",method="{method}"}} 1.0' in metrics


async def test_stop_lets_calls_finish(grpc_platform: GrpcPlatform) -> None:
    """A call that is under way when the server stops gets its answer; the next one is not taken."""
    ann = await grpc_platform.person("ann")
    request = messaging_pb.GetMessageRequest(message_id=UNKNOWN_ID)  # which is waited for, for a second
    call = asyncio.ensure_future(grpc_platform.messaging.GetMessage(request, metadata=ann.metadata))
    while not in_flight(grpc_platform, "chat4all.messaging.v1.MessagingService/GetMessage"):
        await asyncio.sleep(0)
    await grpc_platform.server.stop(30)
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await call
    assert reason_of(failed.value) == "MESSAGE_NOT_FOUND"
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await grpc_platform.messaging.GetMessage(request, metadata=ann.metadata)
    assert failed.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_stop_is_announced(grpc_platform: GrpcPlatform) -> None:
    """Before a server ends, those who watch its health and those who subscribe are told."""
    ann = await grpc_platform.person("ann")
    watch = health_pb2_grpc.HealthStub(grpc_platform.channel).Watch(health_pb2.HealthCheckRequest())
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    subscription = grpc_platform.status.Subscribe(status_pb.SubscribeRequest(), metadata=ann.metadata)
    assert (await subscription.read()).HasField("caught_up")
    stopping = asyncio.create_task(grpc_platform.server.stop(30))
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    while not (frame := await subscription.read()).HasField("going_away"):
        pass  # a heartbeat may be on its way
    assert frame.going_away.reason == status_pb.GoingAway.DRAINING
    assert await subscription.read() is grpc.aio.EOF
    watch.cancel()
    await stopping
