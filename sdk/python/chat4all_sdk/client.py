"""The asynchronous client."""

from collections.abc import Callable
from types import TracebackType
from typing import Self

import grpc

from chat4all_sdk.admin import AdminCalls
from chat4all_sdk.connection import Connection, open_channel
from chat4all_sdk.conversations import ConversationCalls
from chat4all_sdk.files import FileCalls
from chat4all_sdk.identity import IdentityCalls
from chat4all_sdk.messages import MessageCalls
from chat4all_sdk.session import Session, SessionStore
from chat4all_sdk.status import StatusCalls

__all__ = ["AsyncClient"]


class AsyncClient(IdentityCalls, ConversationCalls, MessageCalls, StatusCalls, FileCalls, AdminCalls):
    """A client of a Chat4All platform, to be used with `async with`.

    Every call retries while the server is UNAVAILABLE (sends, which are recognised by their
    request_id, also when an answer got lost), renews the session when its token expires, and raises a
    ChatError when it fails. One client serves any number of concurrent tasks of one event loop.
    """

    def __init__(
        self,
        target: str = "localhost:8080",
        *,
        session: Session | None = None,
        store: SessionStore | None = None,
        on_session_change: Callable[[Session | None], None] | None = None,
        tls: bool | grpc.ChannelCredentials | None = None,
        timeout: float = 30.0,
    ) -> None:
        """Prepares a client of the server at `target` (host:port); nothing is connected yet.

        `session` goes on with an earlier login; `on_session_change` is called with each new one (None
        after `logout`), which must replace what was saved, for refresh tokens work once. A `store`
        does both, and lets several clients share one login. Left out, `tls` is off on this machine and
        on elsewhere; credentials trust other authorities. `timeout` (seconds) bounds a call with all
        its retries.
        """
        self._target = target
        self._session = session
        self._store = store
        self._on_session_change = on_session_change
        self._tls = tls
        self._timeout = timeout
        self._opened: Connection | None = None

    async def open(self) -> Self:
        """Makes the client ready for calls; the connection itself is made by the first call."""
        if self._opened is not None:
            raise RuntimeError("the client is open already")
        self._opened = Connection(
            open_channel(self._target, self._tls),
            timeout=self._timeout,
            session=self._session,
            store=self._store,
            on_session_change=self._on_session_change,
        )
        return self

    async def close(self) -> None:
        """Ends subscriptions and streams and closes the connection. The session stays valid."""
        if self._opened is not None:
            opened, self._opened = self._opened, None
            try:
                await opened.close()
            finally:
                self._session = opened.sessions.session

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def session(self) -> Session | None:
        """The tokens of the present login, to be saved and given to another client; None without one."""
        return self._session if self._opened is None else self._opened.sessions.session

    @property
    def _connection(self) -> Connection:
        if self._opened is None:
            raise RuntimeError("the client is not open; use it with `async with`")
        return self._opened
