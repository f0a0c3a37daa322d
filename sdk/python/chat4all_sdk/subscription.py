"""Follows what happens, through lost connections, without a gap and without a repetition."""

import asyncio
from types import TracebackType
from typing import Self

import grpc

from chat4all.status.v1 import status_service_pb2 as pb
from chat4all_sdk import translate
from chat4all_sdk.acknowledger import Acknowledger
from chat4all_sdk.connection import Connection
from chat4all_sdk.errors import ChatError, PermissionDenied, Unavailable
from chat4all_sdk.events import CaughtUp, Event, MessageCreated
from chat4all_sdk.retry import Backoff, resumable
from chat4all_sdk.rpc_status import error_from_call
from chat4all_sdk.session import Credentials

__all__ = ["Subscription"]

_READ_AHEAD = 64  # events held for a slow application before the server is made to wait


class Subscription:
    """An endless iterator of events; made by `subscribe` of a client.

    Use it with `async with`, or call `aclose`. It connects again by itself and goes on after the last
    event it was given; an event is yielded once, or a Reset tells that some are missing. Errors that
    another attempt can't cure are raised by the iteration. Asking for the next event says that the one
    before was taken, and, with `acknowledge`, acknowledges it.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        cursor: str,
        conversation_id: str,
        acknowledge: bool,
        silence: float,
    ) -> None:
        """A stream on which no frame comes for `silence` seconds is taken for dead."""
        self._connection = connection
        self._request = pb.SubscribeRequest(cursor=cursor, conversation_id=conversation_id)
        self._silence = silence
        self._acknowledger = Acknowledger(connection, conversation_id=conversation_id) if acknowledge else None
        self._received: asyncio.Queue[Event | ChatError | None] = asyncio.Queue(_READ_AHEAD)
        self._yielded: Event | None = None
        self._caught_up = False
        self._backoff = Backoff()
        self._task: asyncio.Task[None] | None = None
        self._ended = False

    async def __aenter__(self) -> Self:
        self._start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        """The next event. May be cancelled, for example by a timeout, without losing one."""
        self._take()
        if self._ended:
            raise StopAsyncIteration
        self._start()
        received = await self._received.get()
        if received is None or isinstance(received, ChatError):
            self._ended = True
            if received is None:
                raise StopAsyncIteration
            raise received
        self._yielded = received
        return received

    async def aclose(self) -> None:
        """Ends the iteration and acknowledges what was taken. A second time does nothing."""
        self._ended = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._received.empty():
            self._received.put_nowait(None)  # for an iteration that waits in another task
        if self._acknowledger is not None:
            await self._acknowledger.aclose()

    def _start(self) -> None:
        if self._task is None and not self._ended:
            self._task = asyncio.create_task(self._run())

    def _take(self) -> None:
        if self._acknowledger is not None and isinstance(self._yielded, MessageCreated):
            self._acknowledger.taken(self._yielded)
        self._yielded = None

    async def _run(self) -> None:
        try:
            while True:
                delay = await self._follow()
                await asyncio.sleep(delay)
        except ChatError as error:
            await self._received.put(error)

    async def _follow(self) -> float:
        """Follows one stream to its end; returns the seconds to wait before the next.

        Raises ChatError when another stream would end the same way.
        """
        try:
            credentials = await self._connection.sessions.credentials()
            if await self._read(credentials):
                await self._connection.sessions.renew(credentials)
        except ChatError as error:
            if not resumable(error):
                raise
            return self._backoff.next(error.retry_after)
        return self._backoff.next()

    async def _read(self, credentials: Credentials) -> bool:
        """Reads one stream to its end; returns whether it ended because the token expired."""
        call = self._connection.status.Subscribe(self._request, metadata=credentials)
        frames = aiter(call)
        try:
            while True:
                async with asyncio.timeout(self._silence):
                    frame = await anext(frames, None)
                if frame is None:
                    return False
                if frame.WhichOneof("frame") == "going_away":
                    return self._must_renew(frame.going_away)
                await self._receive(frame)
        except grpc.aio.AioRpcError as failure:
            error = error_from_call(failure)
            if error.reason == "TOKEN_EXPIRED":
                return True
            raise error from None
        except TimeoutError:
            raise Unavailable(grpc.StatusCode.UNAVAILABLE, "the stream fell silent") from None
        finally:
            call.cancel()

    def _must_renew(self, end: pb.GoingAway) -> bool:
        if end.reason == pb.GoingAway.NOT_A_PARTICIPANT:
            raise PermissionDenied(
                grpc.StatusCode.PERMISSION_DENIED,
                "you no longer take part in the conversation",
                reason="NOT_A_PARTICIPANT",
                metadata={"conversation_id": self._request.conversation_id},
            )
        return end.reason == pb.GoingAway.TOKEN_EXPIRED

    async def _receive(self, frame: pb.SubscribeResponse) -> None:
        """Passes on what the application should know, and moves the place to go on from."""
        kind = frame.WhichOneof("frame")
        if kind in ("event", "heartbeat"):
            self._backoff.reset()  # a server that ends each stream at its start does not count as well
        if (event := self._event(kind, frame)) is not None:
            await self._received.put(event)
        if frame.cursor:
            self._request.cursor = frame.cursor

    def _event(self, kind: str | None, frame: pb.SubscribeResponse) -> Event | None:
        if kind == "event":
            return translate.event(frame.event, frame.cursor)
        if kind == "reset":
            self._caught_up = False
            return translate.reset(frame.reset, frame.cursor)
        if kind == "caught_up" and not self._caught_up:
            self._caught_up = True
            return CaughtUp(frame.cursor)
        return None
