"""Many sends over one stream."""

import asyncio
from collections import deque
from collections.abc import AsyncIterable

from prometheus_client import Counter

from chat4all.messaging.v1 import messaging_service_pb2 as pb
from chat4all_core.app.drain_signal import DrainSignal
from chat4all_core.app.send_message import PendingSend, SendMessage
from chat4all_core.domain.errors import (
    Reason,
    RefusedError,
    UnauthenticatedError,
    UnavailableError,
    invalid_field,
)
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import SECOND
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.token_issuer import AccessToken
from chat4all_server.errors import refusal_for, to_status
from chat4all_server.interceptors.interceptor import Context
from chat4all_server.translate import accepted_to_proto, new_message_from_proto

WINDOW = 256
"""Messages of one stream that were read and whose answers are not written yet. Reading stops when it is full."""

_METHOD = "/chat4all.messaging.v1.MessagingService/SendMessageStream"
_RETRY_AFTER = 0.1  # another server is ready already


class SendMessageStream:
    """Serves calls of SendMessageStream."""

    def __init__(
        self,
        *,
        send_message: SendMessage,
        drain: DrainSignal,
        clock: Clock,
        accepted: Counter,
        window: int = WINDOW,
    ) -> None:
        """`accepted` counts the messages that became durable."""
        self._send_message = send_message
        self._drain = drain
        self._clock = clock
        self._accepted = accepted
        self._window = window

    async def __call__(
        self, caller: AccessToken, requests: AsyncIterable[pb.SendMessageStreamRequest], context: Context
    ) -> None:
        """Serve one call until the client has closed its side and every message is answered.

        Raises:
            UnauthenticatedError: TOKEN_EXPIRED in mid-stream.
            UnavailableError: the server drains.
            InvalidArgumentError: MALFORMED_REQUEST.

        Also these come only after every message that has its place in the log is answered.
        """
        call = _Call(self._send_message, caller, context, self._accepted, self._window)
        loop = asyncio.get_running_loop()
        seconds_left = (caller.expires_at - self._clock()) / SECOND
        expiry = loop.call_later(max(0.0, seconds_left), call.stop_reading, _expired())
        try:
            with self._drain.heard_by(lambda: call.stop_reading(_draining())):
                if self._drain.is_set:
                    raise _draining()
                await call.run(requests)
        finally:
            expiry.cancel()


class _Call:
    """One call: a task reads and starts the messages, this one writes the answers."""

    def __init__(
        self, send_message: SendMessage, caller: AccessToken, context: Context, accepted: Counter, window: int
    ) -> None:
        self._send_message = send_message
        self._sender = caller.user_id
        self._context = context
        self._accepted = accepted
        self._window = asyncio.Semaphore(window)
        self._under_way = 0
        self._answers: deque[pb.SendMessageStreamResponse] = deque()
        self._news = asyncio.Event()
        self._reader: asyncio.Task[None] | None = None
        self._ended_by: RefusedError | None = None

    def stop_reading(self, reason: RefusedError) -> None:
        """End the call once the messages started so far are answered."""
        if self._reader is not None and not self._reader.done():
            self._ended_by = reason
            self._reader.cancel()

    async def run(self, requests: AsyncIterable[pb.SendMessageStreamRequest]) -> None:
        self._reader = asyncio.create_task(self._read(requests))
        self._reader.add_done_callback(lambda _: self._news.set())
        try:
            while self._answers or self._under_way or not self._reader.done():
                await self._write_answers()
        finally:
            self._reader.cancel()
        if self._ended_by is not None:
            raise self._ended_by

    async def _read(self, requests: AsyncIterable[pb.SendMessageStreamRequest]) -> None:
        try:
            async for request in requests:
                await self._window.acquire()
                await self._start(request.message)
        except Exception as error:
            self._ended_by = refusal_for(error, _METHOD)

    async def _start(self, request: pb.SendMessageRequest) -> None:
        # One after the other, for the order of the starts is the order of the messages.
        try:
            if not request.request_id:
                raise invalid_field("message.request_id", "is required in a stream")
            pending = await self._send_message.start(self._sender, new_message_from_proto(request))
        except Exception as error:
            self._answer_error(request.request_id, error)
            return
        self._under_way += 1
        durable = asyncio.ensure_future(pending.durable)
        durable.add_done_callback(lambda done: self._settle(request.request_id, pending, done))

    def _settle(self, request_id: str, pending: PendingSend, durable: asyncio.Future[Source]) -> None:
        self._under_way -= 1
        error = _draining() if durable.cancelled() else durable.exception()
        if error is None:
            self._accepted.inc()
            accepted = accepted_to_proto(pending.message)
            self._answer(pb.SendMessageStreamResponse(request_id=request_id, accepted=accepted))
        elif isinstance(error, Exception):
            self._answer_error(request_id, error)

    def _answer_error(self, request_id: str, error: Exception) -> None:
        status = to_status(refusal_for(error, _METHOD))
        self._answer(pb.SendMessageStreamResponse(request_id=request_id, error=status))

    def _answer(self, answer: pb.SendMessageStreamResponse) -> None:
        self._answers.append(answer)
        self._news.set()

    async def _write_answers(self) -> None:
        await self._news.wait()
        self._news.clear()
        while self._answers:
            await self._context.write(self._answers.popleft())
            self._window.release()


def _expired() -> UnauthenticatedError:
    return UnauthenticatedError(Reason.TOKEN_EXPIRED, "the access token has expired")


def _draining() -> UnavailableError:
    return UnavailableError(Reason.UNAVAILABLE, "the server is stopping; send again", _RETRY_AFTER)
