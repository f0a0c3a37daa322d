"""Server and workers in the test's own process and event loop, on SQLite, without Envoy."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import uuid4

import grpc
from argon2.profiles import CHEAPEST
from channel_accounts import write_accounts
from prometheus_client import CollectorRegistry

from chat4all.files.v1.file_service_pb2_grpc import FileServiceStub
from chat4all.identity.v1 import identity_service_pb2 as identity_pb
from chat4all.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from chat4all.messaging.v1 import conversation_pb2
from chat4all.messaging.v1 import messaging_service_pb2 as messaging_pb
from chat4all.messaging.v1.messaging_service_pb2_grpc import MessagingServiceStub
from chat4all.status.v1.status_service_pb2_grpc import StatusServiceStub
from chat4all_channels.accounts import open_accounts
from chat4all_core.adapters.auth.argon2_password_hasher import Argon2PasswordHasher
from chat4all_core.adapters.memory.rate_limiter import MemoryRateLimiter
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.adapters.sqlite.engine import open_engine
from chat4all_core.config import WORKER_ROLES, Settings, load_settings
from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.engine import Engine
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import Tracer
from chat4all_server.bootstrap import build_server, open_file_storage, open_security
from chat4all_server.security import Security
from chat4all_server.server import Server
from chat4all_workers.bootstrap import WorkerParts, build_workers

PASSWORD = "correct horse battery"


class AdjustableClock:
    """The time of day, as wrong as a test wants it."""

    def __init__(self) -> None:
        self.ahead = 0.0
        """Seconds; below 0 for a clock that was set back."""

    def __call__(self) -> Timestamp:
        return Timestamp(system_clock() + round(self.ahead * SECOND))


@dataclass(frozen=True)
class Person:
    """Someone with an account, logged in."""

    user_id: str
    username: str
    token: str

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What proves it, for the `metadata` of a call."""
        return (("authorization", f"Bearer {self.token}"),)


@dataclass
class GrpcPlatform:
    """A platform that serves, and the stubs to call it."""

    settings: Settings
    clock: AdjustableClock
    security: Security
    server: Server
    registry: CollectorRegistry
    channel: grpc.aio.Channel
    engine: Engine

    def __post_init__(self) -> None:
        self.identity = IdentityServiceStub(self.channel)
        self.messaging = MessagingServiceStub(self.channel)
        self.status = StatusServiceStub(self.channel)
        self.files = FileServiceStub(self.channel)

    async def person(self, name: str = "someone", username: str = "") -> Person:
        """A new account, whose name begins like that, or is exactly `username`."""
        username = username or f"{name}_{uuid4().hex[:12]}"
        request = identity_pb.RegisterUserRequest(username=username, password=PASSWORD)
        user = (await self.identity.RegisterUser(request)).user
        token = self.security.issuer.issue(UserId(ParticipantId(user.user_id)))
        return Person(user.user_id, username, token)

    async def group(self, creator: Person, *others: Person) -> str:
        """The id of a new group."""
        request = messaging_pb.CreateConversationRequest(
            type=conversation_pb2.ConversationType.GROUP, participants=[p.user_id for p in others]
        )
        created = await self.messaging.CreateConversation(request, metadata=creator.metadata)
        return created.conversation.conversation_id

    async def send(self, sender: Person, conversation_id: str, text: str, request_id: str = "") -> str:
        """Send a message; its id."""
        request = messaging_pb.SendMessageRequest(conversation_id=conversation_id, text=text, request_id=request_id)
        return (await self.messaging.SendMessage(request, metadata=sender.metadata)).message_id

    async def texts(self, reader: Person, conversation_id: str, count: int) -> list[str]:
        """The texts of a conversation, newest first, once there are `count` of them."""
        request = messaging_pb.ListMessagesRequest(conversation_id=conversation_id, page_size=100)
        while True:
            page = await self.messaging.ListMessages(request, metadata=reader.metadata)
            if len(page.messages) >= count:
                return [message.text for message in page.messages]
            await asyncio.sleep(0)


@asynccontextmanager
async def open_grpc_platform(data_dir: Path, **environ: str) -> AsyncIterator[GrpcPlatform]:
    """Serve within the context, with settings as they would stand in the environment."""
    defaults = {"CHAT4ALL_DATA_DIR": str(data_dir), "CHAT4ALL_SERVER_GRPC_PORT": "0"}
    settings = load_settings(defaults | environ)
    clock, tracer, codec = AdjustableClock(), Tracer("test"), ProtobufEventCodec()
    metrics = Metrics(registry := CollectorRegistry())
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_engine(data_dir, clock))
        accounts = await stack.enter_async_context(open_accounts(write_accounts(data_dir / "accounts.toml")))
        storage = await stack.enter_async_context(open_file_storage(settings, clock))
        limiter = MemoryRateLimiter(time.monotonic)
        parts = WorkerParts(engine, codec, accounts, metrics, clock, storage, limiter, settings)
        # No connectors: the accounts are no real ones.
        workers = build_workers(parts, tracer, [role for role in WORKER_ROLES if role != "connector"])
        running = [asyncio.create_task(worker.run()) for worker in workers]
        stack.push_async_callback(_cancel, running)
        hasher = stack.enter_context(closing(Argon2PasswordHasher(parameters=CHEAPEST)))
        security = replace(stack.enter_context(open_security(settings, clock)), hasher=hasher)
        server = build_server(
            engine,
            security=security,
            storage=storage,
            limiter=limiter,
            accounts=accounts,
            codec=codec,
            clock=clock,
            settings=settings,
            registry=registry,
            metrics=metrics,
            tracer=tracer,
        )
        await server.start()
        stack.push_async_callback(server.stop, 0)
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{server.grpc_port}"))
        yield GrpcPlatform(settings, clock, security, server, registry, channel, engine)


async def _cancel(tasks: Sequence[asyncio.Task[None]]) -> None:
    # Not by asking the workers to stop, for that waits for their next batch.
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
