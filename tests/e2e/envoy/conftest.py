"""A real Envoy in front of small real servers: gRPC with the generated services, and plain HTTP."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import grpc.aio
import pytest
from aiohttp import web
from grpc_channelz.v1 import channelz
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chat4all.identity.v1 import identity_service_pb2 as identity
from chat4all.identity.v1 import identity_service_pb2_grpc as identity_grpc
from chat4all.messaging.v1 import messaging_service_pb2 as messaging
from chat4all.messaging.v1 import messaging_service_pb2_grpc as messaging_grpc
from chat4all.status.v1 import status_service_pb2 as status
from chat4all.status.v1 import status_service_pb2_grpc as status_grpc
from chat4all_standalone.envoy import EnvoyProcess, EnvoySettings, EnvoyTimeouts

ROOT = Path(__file__).resolve().parents[3]
JWKS = {"keys": [{"kid": "1"}]}
PUBLIC_SERVICES = tuple(
    module.DESCRIPTOR.services_by_name[name].full_name
    for module, name in (
        (identity, "IdentityService"),
        (messaging, "MessagingService"),
        (status, "StatusService"),
        (health_pb2, "Health"),
    )
)


class Identity(identity_grpc.IdentityServiceServicer):
    """Echoes; RegisterUser does whatever a test has put into `register`."""

    def __init__(self) -> None:
        self.register: Callable[..., Awaitable[identity.RegisterUserResponse]] = self.echo

    async def echo(self, request, context):
        user = identity.User(username=request.username, email=request.email)
        return identity.RegisterUserResponse(user=user)

    async def RegisterUser(self, request, context):
        return await self.register(request, context)

    async def GetUser(self, request, context):
        return identity.GetUserResponse(user=identity.User(user_id=request.user_id))

    async def FindUser(self, request, context):
        return identity.FindUserResponse(user=identity.User(username=request.username))


class Messaging(messaging_grpc.MessagingServiceServicer):
    """Answers each streamed request by its request_id, and notes who was removed."""

    def __init__(self) -> None:
        self.removed: list[str] = []

    async def SendMessageStream(self, request_iterator, context):
        async for request in request_iterator:
            yield messaging.SendMessageStreamResponse(request_id=request.message.request_id)

    async def RemoveParticipant(self, request, context):
        self.removed.append(request.participant)
        return messaging.RemoveParticipantResponse()


class Status(status_grpc.StatusServiceServicer):
    """Sends the first frame at once and the last one when `release` is set."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.ended = asyncio.Event()

    async def Subscribe(self, request, context):
        try:
            yield status.SubscribeResponse(cursor="first", heartbeat=status.Heartbeat())
            await self.release.wait()
            yield status.SubscribeResponse(cursor="last", caught_up=status.CaughtUp())
        finally:
            self.ended.set()


class Backend:
    """The servers behind an Envoy."""

    def __init__(self) -> None:
        self.identity = Identity()
        self.messaging = Messaging()
        self.status = Status()
        self.health = health.aio.HealthServicer()
        # As Envoy allows: 64 KiB of headers, where gRPC's own limit is 8 to 16.
        limits = [("grpc.max_metadata_size", 1 << 17), ("grpc.absolute_max_metadata_size", 1 << 17)]
        self.server = grpc.aio.server(options=limits)
        identity_grpc.add_IdentityServiceServicer_to_server(self.identity, self.server)
        messaging_grpc.add_MessagingServiceServicer_to_server(self.messaging, self.server)
        status_grpc.add_StatusServiceServicer_to_server(self.status, self.server)
        health_pb2_grpc.add_HealthServicer_to_server(self.health, self.server)
        channelz.add_channelz_servicer(self.server)
        reflection.enable_server_reflection((*PUBLIC_SERVICES, reflection.SERVICE_NAME), self.server)
        self.grpc_port = self.server.add_insecure_port("127.0.0.1:0")

        self._site = web.AppRunner(self._web_app())
        self.web_port = 0

    async def start(self) -> None:
        await self.say(health_pb2.HealthCheckResponse.SERVING)
        await self.server.start()
        await self._site.setup()
        await web.TCPSite(self._site, "127.0.0.1", 0).start()
        self.web_port = self._site.addresses[0][1]

    async def say(self, ready: health_pb2.HealthCheckResponse.ServingStatus) -> None:
        """Of the server as a whole, and of the service that Envoy asks for."""
        for service in ("", "chat4all.messaging.v1.MessagingService"):
            await self.health.set(service, ready)

    async def stop(self) -> None:
        self.status.release.set()
        await self._site.cleanup()
        await self.server.stop(None)

    @staticmethod
    def _web_app() -> web.Application:
        async def jwks(request: web.Request) -> web.Response:
            return web.json_response(JWKS)

        async def healthz(request: web.Request) -> web.Response:
            return web.json_response({"ready": True})

        app = web.Application()
        app.router.add_get("/healthz", healthz)
        app.router.add_get("/.well-known/jwks.json", jwks)
        return app


@pytest.fixture
async def backend() -> AsyncIterator[Backend]:
    async with _running() as servers:
        yield servers


@pytest.fixture
async def second_backend() -> AsyncIterator[Backend]:
    async with _running() as servers:
        yield servers


@contextlib.asynccontextmanager
async def _running() -> AsyncIterator[Backend]:
    servers = Backend()
    await servers.start()
    yield servers
    await servers.stop()


@pytest.fixture
def timeouts() -> EnvoyTimeouts:
    """Production's; a test that waits for one of them overrides this."""
    return EnvoyTimeouts()


@pytest.fixture
def settings(backend: Backend, timeouts: EnvoyTimeouts, tmp_path: Path) -> EnvoySettings:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return EnvoySettings(
        public=("127.0.0.1", port),
        grpc=(("127.0.0.1", backend.grpc_port),),
        web=(("127.0.0.1", backend.web_port),),
        template=ROOT / "envoy" / "envoy.yaml.tmpl",
        descriptors=ROOT / "gen" / "envoy" / "chat4all.binpb",
        data_dir=tmp_path / "envoy",
        timeouts=timeouts,
    )


@pytest.fixture
async def envoy(settings: EnvoySettings) -> AsyncIterator[EnvoyProcess]:
    process = EnvoyProcess(settings)
    await process.start()
    yield process
    await process.stop()


@pytest.fixture
async def rest(envoy: EnvoyProcess, settings: EnvoySettings) -> AsyncIterator[aiohttp.ClientSession]:
    host, port = settings.public
    async with aiohttp.ClientSession(f"http://{host}:{port}") as session:
        yield session


@pytest.fixture
async def channel(envoy: EnvoyProcess, settings: EnvoySettings) -> AsyncIterator[grpc.aio.Channel]:
    host, port = settings.public
    async with grpc.aio.insecure_channel(f"{host}:{port}") as opened:
        yield opened
