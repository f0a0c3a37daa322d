"""The channel to the platform, and the one way in which unary calls go over it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol, TypeVar
from weakref import WeakSet

import grpc

from chat4all.admin.v1.admin_service_pb2_grpc import AdminServiceStub
from chat4all.files.v1.file_service_pb2_grpc import FileServiceStub
from chat4all.identity.v1 import identity_service_pb2 as identity_pb
from chat4all.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from chat4all.messaging.v1.messaging_service_pb2_grpc import MessagingServiceStub
from chat4all.status.v1.status_service_pb2_grpc import StatusServiceStub
from chat4all_sdk.errors import ChatError
from chat4all_sdk.retry import Backoff, RetryRule, never_sent, unavailable
from chat4all_sdk.rpc_status import error_from_call
from chat4all_sdk.session import Session, SessionKeeper, SessionStore

__all__ = ["Connection", "open_channel", "session_from_tokens"]

Request = TypeVar("Request")
Response = TypeVar("Response")

ATTEMPT_TIMEOUT = 10.0
"""Seconds after which a call that may be repeated is taken for lost."""

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "unix"})
_OPTIONS = (
    ("grpc.primary_user_agent", "chat4all-python"),
    # gRPC's own limit between two attempts to connect is two minutes: too long for a chat.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 3000),
    # Finds a peer that vanished without a word, while calls wait for it. The platform allows pings this often.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.max_receive_message_length", 8 * 1024 * 1024),  # the platform's largest answer
)


def open_channel(target: str, tls: bool | grpc.ChannelCredentials | None) -> grpc.aio.Channel:
    """Opens a channel to `host:port`. Without `tls` it is plain on this machine and TLS elsewhere."""
    if tls is None:
        tls = target.partition(":")[0] not in _LOOPBACK and not target.startswith("[::1]:")
    if tls is False:
        return grpc.aio.insecure_channel(target, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials() if tls is True else tls
    return grpc.aio.secure_channel(target, credentials, options=_OPTIONS)


class Closable(Protocol):
    """A stream that someone may have left open."""

    async def aclose(self) -> None:
        """Ends it; a second time does nothing."""


class Connection:
    """The stubs of the services and the session that calls are made in."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        *,
        timeout: float,
        session: Session | None = None,
        store: SessionStore | None = None,
        on_session_change: Callable[[Session | None], None] | None = None,
    ) -> None:
        """`timeout` is in seconds and bounds a call with all its retries."""
        self._channel = channel
        self.admin = AdminServiceStub(channel)
        self.identity = IdentityServiceStub(channel)
        self.messaging = MessagingServiceStub(channel)
        self.status = StatusServiceStub(channel)
        self.files = FileServiceStub(channel)
        self.timeout = timeout
        self.sessions = SessionKeeper(self.refresh, session=session, store=store, on_change=on_session_change)
        self.streams: WeakSet[Closable] = WeakSet()
        """What runs over the connection and ends with it."""
        self.store_is_apart: bool | None = None
        """Whether URLs of parts lead to another address than the platform's; None when nobody has asked."""

    async def call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Request, Response],
        request: Request,
        *,
        rule: RetryRule = unavailable,
        attempt_timeout: float | None = None,
        timeout: float | None = None,
        authenticated: bool = True,
    ) -> Response:
        """Calls until it succeeds, fails for good or the timeout (another one, if given) ends. Raises ChatError.

        An expired token is renewed on the way. The request goes out unchanged in every attempt.
        """
        now = asyncio.get_running_loop().time
        deadline = now() + (timeout or self.timeout)
        backoff = Backoff()
        renewals = 0
        while True:
            credentials = await self.sessions.credentials() if authenticated else ()
            left = deadline - now()
            try:
                return await method(request, metadata=credentials, timeout=min(left, attempt_timeout or left))
            except grpc.aio.AioRpcError as failure:
                error = error_from_call(failure)
            if authenticated and error.reason == "TOKEN_EXPIRED" and renewals < 2:
                renewals += 1  # the second time is for a session that another client left in the store
                await self.sessions.renew(credentials)
                continue
            await _pause_or_raise(error, rule, backoff, deadline)

    async def close(self) -> None:
        """Ends the streams, lets a renewal of the session end, and closes the channel."""
        try:
            for stream in list(self.streams):
                await stream.aclose()
            await self.sessions.close()
        finally:
            await self._channel.close()

    async def refresh(self, refresh_token: str) -> Session:
        """Exchanges a refresh token; retries only while it surely has not arrived."""
        request = identity_pb.RefreshTokenRequest(refresh_token=refresh_token)
        response = await self.call(self.identity.RefreshToken, request, rule=never_sent, authenticated=False)
        return session_from_tokens(response)


async def _pause_or_raise(error: ChatError, rule: RetryRule, backoff: Backoff, deadline: float) -> None:
    delay = backoff.next(error.retry_after)
    if not rule(error) or asyncio.get_running_loop().time() + delay >= deadline:
        raise error
    await asyncio.sleep(delay)


def session_from_tokens(
    tokens: identity_pb.IssueTokenResponse | identity_pb.RefreshTokenResponse,
) -> Session:
    """The session that the tokens of an answer that came just now make up."""
    expires_at = datetime.now(UTC) + timedelta(seconds=tokens.expires_in)
    return Session(tokens.access_token, tokens.refresh_token, expires_at)
