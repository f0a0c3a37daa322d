"""The composition root of the server."""

import time
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, closing, contextmanager

from grpc_channelz.v1 import channelz
from grpc_health.v1 import health, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import CollectorRegistry

from chat4all.admin.v1 import admin_service_pb2_grpc
from chat4all.channels.v1 import channel_service_pb2_grpc
from chat4all.files.v1 import file_service_pb2_grpc
from chat4all.identity.v1 import identity_service_pb2_grpc
from chat4all.messaging.v1 import messaging_service_pb2_grpc
from chat4all_channels.accounts import ChannelAccounts, capabilities_of
from chat4all_core.adapters.auth.argon2_password_hasher import Argon2PasswordHasher
from chat4all_core.adapters.auth.jwt_token_issuer import JwtTokenIssuer
from chat4all_core.adapters.auth.key_ring import KeyRing, create_first_key
from chat4all_core.adapters.auth.secret_file import load_or_create_secret, load_secret
from chat4all_core.adapters.auth.signing_key import Algorithm
from chat4all_core.adapters.content.content_hasher import open_content_hasher
from chat4all_core.adapters.content.type_detector import detect_type
from chat4all_core.adapters.folder.folder_links import FolderLinks
from chat4all_core.adapters.folder.folder_object_store import FolderObjectStore
from chat4all_core.adapters.folder.link import LinkSigner
from chat4all_core.app.acknowledge import Acknowledge
from chat4all_core.app.dead_letters import DeadLetters
from chat4all_core.app.drain_signal import DrainSignal
from chat4all_core.app.engine_parts import EVENT_LOG, STORES, STREAMS, engine_parts
from chat4all_core.app.engine_watch import EngineWatch
from chat4all_core.app.file_use_cases import FileUseCases, build_file_use_cases
from chat4all_core.app.report_receipt import ReportReceipt
from chat4all_core.app.subscribe import Subscribe
from chat4all_core.app.system_status import ReadSystemStatus
from chat4all_core.config import Settings
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.ports.file_storage import FileStorage
from chat4all_core.ports.rate_limiter import RateLimiter
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import Tracer
from chat4all_server.call_limits import CallLimits
from chat4all_server.grpc_options import GRPC_OPTIONS
from chat4all_server.grpc_server import GrpcServer
from chat4all_server.identity_use_cases import build_identity_service
from chat4all_server.interceptors.chain import interceptor_chain
from chat4all_server.janitor import Janitor
from chat4all_server.messaging_use_cases import build_messaging_service
from chat4all_server.page_token import PageTokens
from chat4all_server.public_url import public_url
from chat4all_server.readiness import Readiness
from chat4all_server.security import Security
from chat4all_server.server import Server
from chat4all_server.services import admin, channels, files, identity, status
from chat4all_server.web.application import Handlers, build_application
from chat4all_server.web.callers import Callers
from chat4all_server.web.files import FileHandlers
from chat4all_server.web.links import LinkHandlers
from chat4all_server.webhook_intake import WebhookIntake

_SERVICES = {
    "chat4all.admin.v1.AdminService": (),
    "chat4all.channels.v1.ChannelService": (EVENT_LOG, STORES),
    "chat4all.files.v1.FileService": (STORES,),
    "chat4all.identity.v1.IdentityService": (STORES,),
    "chat4all.messaging.v1.MessagingService": (EVENT_LOG, STORES),
    "chat4all.status.v1.StatusService": (STORES, STREAMS),
}
"""What each can't do without. Messages are accepted without the streams: they are in the log, and follow later."""

_PUBLIC_METHODS = (
    *channels.PUBLIC_METHODS,
    *identity.PUBLIC_METHODS,
    "/grpc.health.v1.Health/",
    "/grpc.reflection.v1alpha.ServerReflection/",
)


@contextmanager
def open_security(settings: Settings, clock: Clock, *, create_keys: bool = True) -> Iterator[Security]:
    """Load the keys. Those that are missing are made if `create_keys`, which suits a platform on one machine, or
    servers that share the disk where the keys are: all servers need the same ones.

    Raises:
        SecretFileError: a file is there and is no key, or is missing and not to be made.
        OSError: a file can't be read or written.
    """
    algorithm = Algorithm(settings.auth.algorithm)
    if create_keys:
        create_first_key(settings.keys_dir, algorithm)
    issuer = JwtTokenIssuer(
        keys=KeyRing(settings.keys_dir, algorithm),
        issuer=settings.auth.issuer,
        audience=settings.auth.audience,
        lifetime=settings.auth.access_token_seconds,
        clock=clock,
        new_id=_new_id,
    )
    load = load_or_create_secret if create_keys else load_secret
    page_token_key = load(settings.page_token_key_file)
    with closing(Argon2PasswordHasher()) as hasher:
        yield Security(hasher, issuer, page_token_key)


@asynccontextmanager
async def open_file_storage(settings: Settings, clock: Clock) -> AsyncIterator[FileStorage]:
    """Open the folder of files in the data directory, for the running event loop.

    Raises:
        SecretFileError: the file with the key of URLs holds none.
        OSError: a file can't be read or written.
    """
    signer = LinkSigner(load_or_create_secret(settings.data.dir / "link_key"), clock)
    store = await FolderObjectStore.open(
        settings.data.dir / "files", signer, clock, public_url(settings), settings.files.keep_free_bytes
    )
    async with aclosing(store):
        yield FileStorage(store, open_content_hasher(), detect_type, FolderLinks(store, signer))


def build_server(
    engine: Engine,
    *,
    security: Security,
    storage: FileStorage,
    accounts: ChannelAccounts,
    limiter: RateLimiter,
    codec: EventCodec,
    clock: Clock,
    settings: Settings,
    registry: CollectorRegistry,
    metrics: Metrics,
    tracer: Tracer,
) -> Server:
    """The server of one process, not started yet. Called within the event loop that it will run in."""
    drain = DrainSignal()
    parts = engine_parts(engine.log, engine.users, engine.streams)
    channels_open = capabilities_of(accounts)
    limits = CallLimits(limiter, settings.limit)
    grpc_server = GrpcServer(
        interceptor_chain(
            metrics=metrics,
            tracer=tracer,
            issuer=security.issuer,
            public_methods=_PUBLIC_METHODS,
            limits=limits,
        ),
        GRPC_OPTIONS,
    )
    identity_service_pb2_grpc.add_IdentityServiceServicer_to_server(
        build_identity_service(engine, security, channels_open, limiter, codec, clock, settings.auth), grpc_server
    )
    file_use_cases = build_file_use_cases(engine.files, engine.conversations, storage, clock, settings.files)
    file_service_pb2_grpc.add_FileServiceServicer_to_server(
        files.FileService(file_use_cases, PageTokens(security.page_token_key), settings.files.max_file_bytes),
        grpc_server,
    )
    make_link = file_use_cases.read_files.link
    messaging_service_pb2_grpc.add_MessagingServiceServicer_to_server(
        build_messaging_service(engine, security, channels_open, codec, clock, drain, metrics, make_link), grpc_server
    )
    status.add_status_service(_status_service(engine, codec, clock, drain, settings, metrics), grpc_server)
    channel_service_pb2_grpc.add_ChannelServiceServicer_to_server(
        channels.ChannelService(
            channels_open,
            WebhookIntake(accounts=accounts, log=engine.log, codec=codec, clock=clock, metrics=metrics),
        ),
        grpc_server,
    )
    admin_service_pb2_grpc.add_AdminServiceServicer_to_server(
        admin.AdminService(
            dead_letters=DeadLetters(letters=engine.dead_letters, log=engine.log, codec=codec, clock=clock),
            read_status=ReadSystemStatus(parts, clock),
            channels=channels_open,
            page_tokens=PageTokens(security.page_token_key),
        ),
        grpc_server,
    )
    health_servicer = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_servicer, grpc_server)
    channelz.add_channelz_servicer(grpc_server)
    reflection.enable_server_reflection(
        (*_SERVICES, health.SERVICE_NAME, "grpc.channelz.v1.Channelz", reflection.SERVICE_NAME), grpc_server
    )
    readiness = Readiness(EngineWatch(parts, time.monotonic), health_servicer, _SERVICES)
    return Server(
        grpc_server=grpc_server,
        application=build_application(
            security.issuer,
            registry,
            readiness.away,
            _web_handlers(file_use_cases, Callers(security.issuer, limits)),
        ),
        readiness=readiness,
        drain=drain,
        address=settings.server.address,
        grpc_port=settings.server.grpc_port,
        web_port=settings.server.web_port,
        janitor=Janitor(file_use_cases.clean_up, settings.files.clean_up_seconds),
    )


def _web_handlers(file_use_cases: FileUseCases, callers: Callers) -> list[Handlers]:
    handlers: list[Handlers] = [FileHandlers(file_use_cases, callers)]
    if file_use_cases.links is not None:
        handlers.append(LinkHandlers(file_use_cases.links, file_use_cases.objects, callers))
    return handlers


def _status_service(
    engine: Engine,
    codec: EventCodec,
    clock: Clock,
    drain: DrainSignal,
    settings: Settings,
    metrics: Metrics,
) -> status.StatusService:
    return status.StatusService(
        subscribe=Subscribe(
            streams=engine.streams,
            conversations=engine.conversations,
            clock=clock,
            drain=drain,
            heartbeat_seconds=settings.subscribe.heartbeat_seconds,
        ),
        acknowledge=Acknowledge(
            conversations=engine.conversations,
            messages=engine.messages,
            streams=engine.streams,
            report=ReportReceipt(log=engine.log, codec=codec, clock=clock),
        ),
        metrics=metrics,
    )


def _new_id() -> str:
    return str(uuid.uuid4())
