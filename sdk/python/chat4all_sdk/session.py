"""The tokens of a login, and who keeps them fresh."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Protocol

import grpc

from chat4all_sdk.errors import ChatError, LoginRequired, ResourceExhausted
from chat4all_sdk.retry import never_sent

__all__ = ["Credentials", "Session", "SessionKeeper", "SessionStore"]

Credentials = tuple[tuple[str, str], ...]
"""Call metadata that proves who calls."""

_LEAD = 60.0  # seconds before its expiry at which a token is renewed, or a tenth of a short life


@dataclass(frozen=True, slots=True)
class Session:
    """The tokens of one login, to be kept as carefully as a password.

    A refresh token works once; it is empty when it was used and the answer got lost.
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: datetime
    """When the access token expires."""


class SessionStore(Protocol):
    """Where several clients of one login share its session, for example a file."""

    def exclusive(self) -> AbstractAsyncContextManager[object]:
        """Held while the session changes, so that two clients never use one refresh token."""

    def load(self) -> Session | None:
        """The newest session, None after a log-out."""

    def save(self, session: Session | None) -> None:
        """Replaces the session, durably; None removes it."""


class SessionKeeper:
    """Holds the session, and renews it once however many calls need it at the same time."""

    def __init__(
        self,
        refresh: Callable[[str], Awaitable[Session]],
        *,
        session: Session | None = None,
        store: SessionStore | None = None,
        on_change: Callable[[Session | None], None] | None = None,
    ) -> None:
        """`refresh` exchanges a refresh token; it must not repeat a request that may have arrived."""
        self._refresh = refresh
        self._store = store
        self._on_change = on_change
        self._renewing: asyncio.Task[None] | None = None
        self._adopt(session if session is not None or store is None else store.load())

    @property
    def session(self) -> Session | None:
        """The session as it is now."""
        return self._session

    async def replace(self, session: Session | None) -> None:
        """Takes over the session of a new login, or None after a log-out, and saves it."""
        async with self._exclusive():
            self._change(session)

    async def credentials(self) -> Credentials:
        """Proof of a session that is valid still. Raises LoginRequired when there is none."""
        if self._session is not None and time.time() >= self._renew_at:
            expires_at = self._session.expires_at.timestamp()
            try:
                await self.renew(self._credentials)
            except ChatError:
                if time.time() >= expires_at:
                    raise
        if self._session is None:
            raise LoginRequired(
                grpc.StatusCode.UNAUTHENTICATED, "there is no session; log in first", reason="TOKEN_MISSING"
            )
        return self._credentials

    async def renew(self, stale: Credentials) -> None:
        """Replaces credentials that the server refused, or soon will. Does nothing if they were replaced.

        Raises LoginRequired when the session can't be continued.
        """
        if self._credentials is not stale:
            return
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew())
            self._renewing.add_done_callback(self._renewed)
        # A caller that gives up must not stop the exchange: its refresh token would be lost.
        await asyncio.shield(self._renewing)

    async def close(self) -> None:
        """Lets an exchange that is under way end, for its answer is the only way on."""
        if self._renewing is not None:
            await asyncio.wait([self._renewing])

    def _renewed(self, task: asyncio.Task[None]) -> None:
        self._renewing = None
        if not task.cancelled():
            task.exception()  # whoever waited got it; nobody may have waited

    async def _renew(self) -> None:
        async with self._exclusive():
            mine = self._session
            if self._store is not None and (saved := self._store.load()) != mine:
                self._adopt(saved)  # another client was first, or logged out
            elif mine is not None:
                await self._exchange(mine)

    async def _exchange(self, mine: Session) -> None:
        if not mine.refresh_token:
            raise _lost()
        try:
            self._change(await self._refresh(mine.refresh_token))
        except ChatError as error:
            if never_sent(error) or isinstance(error, ResourceExhausted):
                raise  # the refresh token was not used
            self._change(replace(mine, refresh_token=""))
            if isinstance(error, LoginRequired):
                raise
            raise _lost() from error

    def _change(self, session: Session | None) -> None:
        self._adopt(session)
        if self._store is not None:
            self._store.save(session)
        if self._on_change is not None:
            self._on_change(session)

    def _exclusive(self) -> AbstractAsyncContextManager[object]:
        return nullcontext() if self._store is None else self._store.exclusive()

    def _adopt(self, session: Session | None) -> None:
        self._session = session
        self._credentials: Credentials = ()
        self._renew_at = 0.0
        if session is not None:
            self._credentials = (("authorization", f"Bearer {session.access_token}"),)
            left = (session.expires_at - datetime.now(UTC)).total_seconds()
            self._renew_at = session.expires_at.timestamp() - max(0.0, min(_LEAD, left / 10))


def _lost() -> LoginRequired:
    return LoginRequired(
        grpc.StatusCode.UNAUTHENTICATED,
        "the session could not be renewed, for the server's answer got lost; log in again",
        reason="REFRESH_TOKEN_INVALID",
    )
