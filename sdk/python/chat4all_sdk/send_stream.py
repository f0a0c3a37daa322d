"""Many sends over one stream, in order, through lost connections."""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from uuid import uuid4

import grpc

from chat4all.messaging.v1 import messaging_service_pb2 as pb
from chat4all_sdk import translate
from chat4all_sdk.call_status import CallStatus
from chat4all_sdk.connection import ATTEMPT_TIMEOUT, Connection
from chat4all_sdk.errors import ChatError, DeadlineExceeded
from chat4all_sdk.models import SentMessage
from chat4all_sdk.retry import Backoff, idempotent
from chat4all_sdk.rpc_status import error_from_call, error_from_status
from chat4all_sdk.session import Credentials

__all__ = ["SendStream"]

_Call = grpc.aio.StreamStreamCall[pb.SendMessageStreamRequest, pb.SendMessageStreamResponse]


@dataclass(slots=True)
class _Unanswered:
    request: pb.SendMessageStreamRequest
    answer: asyncio.Future[SentMessage]
    deadline: float


class SendStream:
    """Sends messages over one stream, many at a time; made by `send_stream` of a client.

    Messages go out in the order of the calls. When the connection breaks, a new one is made and the
    unanswered messages are sent again under the same request_ids in the same order, so that each is
    stored once and the order within a conversation holds. A message that the server refuses fails
    alone; it is not repeated, for later ones may have overtaken it.
    """

    def __init__(self, connection: Connection, *, window: int, answer_timeout: float = ATTEMPT_TIMEOUT) -> None:
        """A stream with unanswered messages and no answer for `answer_timeout` seconds is made anew."""
        self._connection = connection
        self._answer_timeout = answer_timeout
        self._window = asyncio.Semaphore(window)
        self._pending: dict[str, _Unanswered] = {}  # in the order of the calls
        self._unsent: deque[_Unanswered] = deque()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._heard = 0.0
        self._answered = 0
        self._failure: BaseException | None = None
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            await self.drain()
        await self.aclose()

    async def send(
        self,
        conversation_id: str,
        text: str = "",
        *,
        file_id: str | None = None,
        request_id: str | None = None,
        reply_to: str | None = None,
        metadata: Mapping[str, str] | None = None,
        channels: Iterable[str] = (),
    ) -> SentMessage:
        """Sends a message and waits until it is durable. Raises ChatError as `send` of a client does."""
        answer = await self.submit(
            conversation_id,
            text,
            file_id=file_id,
            request_id=request_id,
            reply_to=reply_to,
            metadata=metadata,
            channels=channels,
        )
        return await answer

    async def submit(
        self,
        conversation_id: str,
        text: str = "",
        *,
        file_id: str | None = None,
        request_id: str | None = None,
        reply_to: str | None = None,
        metadata: Mapping[str, str] | None = None,
        channels: Iterable[str] = (),
    ) -> asyncio.Future[SentMessage]:
        """Sends a message without waiting for its answer; waits only while the window is full."""
        request_id = (request_id or str(uuid4())).lower()
        if request_id in self._pending:
            raise ValueError(f"request_id {request_id} is under way already")
        message = pb.SendMessageRequest(
            conversation_id=conversation_id,
            text=text,
            file_id=file_id or "",
            request_id=request_id,
            reply_to=reply_to or "",
            metadata=metadata,
            channels=channels,
        )
        await self._window.acquire()
        if self._failure is not None or self._task is None:
            self._window.release()
            raise self._failure or RuntimeError("a SendStream is used with `async with`")
        return self._enqueue(request_id, message)

    async def drain(self) -> None:
        """Waits until every message sent so far is answered."""
        await self._idle.wait()

    async def aclose(self) -> None:
        """Ends the stream at once; unanswered messages fail, though they may have been stored."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        self._fail_all(RuntimeError("the SendStream is closed"))

    def _enqueue(self, request_id: str, message: pb.SendMessageRequest) -> asyncio.Future[SentMessage]:
        loop = asyncio.get_running_loop()
        if not self._pending:
            self._heard = loop.time()
            self._idle.clear()
        unanswered = _Unanswered(
            pb.SendMessageStreamRequest(message=message),
            loop.create_future(),
            loop.time() + self._connection.timeout,
        )
        self._pending[request_id] = unanswered
        self._unsent.append(unanswered)
        self._wake.set()
        return unanswered.answer

    async def _run(self) -> None:
        backoff = Backoff()
        while self._failure is None:
            if not self._pending:
                await self._wake.wait()  # no connection before there is something to send
            answered = self._answered
            error = await self._attempt()
            if self._answered != answered:
                backoff.reset()
            if error.reason != "TOKEN_EXPIRED" and not idempotent(error):
                self._fail_all(error)
                return
            self._fail_overdue(error)
            await asyncio.sleep(backoff.next(error.retry_after))

    async def _attempt(self) -> ChatError:
        """Streams in the present session, and renews the session if that was why it ended."""
        try:
            credentials = await self._connection.sessions.credentials()
            error = await self._stream_once(credentials)
            if error.reason == "TOKEN_EXPIRED":
                await self._connection.sessions.renew(credentials)
        except ChatError as failure:
            return failure
        return error

    async def _stream_once(self, credentials: Credentials) -> ChatError:
        """Sends and receives on one connection until it ends; returns why."""
        call = self._connection.messaging.SendMessageStream(metadata=credentials)
        status = CallStatus(call)
        self._unsent = deque(self._pending.values())
        self._heard = asyncio.get_running_loop().time()
        writer = asyncio.create_task(self._write(call))
        watch = asyncio.create_task(self._watch(call))
        try:
            async for answer in call:
                self._settle(answer)
            return ChatError(grpc.StatusCode.UNAVAILABLE, "the server ended the stream")
        except grpc.aio.AioRpcError as failure:
            return error_from_call(status.true(failure))
        except asyncio.CancelledError:
            if self._task is None or self._task.cancelling():
                raise
            return DeadlineExceeded(grpc.StatusCode.DEADLINE_EXCEEDED, "no answer came in time")
        finally:
            writer.cancel()
            watch.cancel()
            call.cancel()

    async def _write(self, call: _Call) -> None:
        with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # the reader learns why it ended
            while True:
                while self._unsent:
                    await call.write(self._unsent.popleft().request)
                self._wake.clear()
                await self._wake.wait()

    async def _watch(self, call: _Call) -> None:
        """Ends a call whose peer has fallen silent."""
        now = asyncio.get_running_loop().time
        # Looking now and then is cheaper than setting a timer for each message.
        while not self._pending or now() - self._heard < self._answer_timeout:  # noqa: ASYNC110
            await asyncio.sleep(self._answer_timeout / 4)
        call.cancel()

    def _settle(self, answer: pb.SendMessageStreamResponse) -> None:
        unanswered = self._pending.pop(answer.request_id, None)
        if unanswered is None:
            return
        self._heard = asyncio.get_running_loop().time()
        self._answered += 1
        if not unanswered.answer.done():  # whoever sent it may have stopped waiting
            if answer.HasField("accepted"):
                unanswered.answer.set_result(translate.sent(answer.accepted, answer.request_id))
            else:
                unanswered.answer.set_exception(error_from_status(answer.error))
        self._release()

    def _fail_overdue(self, error: ChatError) -> None:
        now = asyncio.get_running_loop().time()
        for request_id in [key for key, entry in self._pending.items() if entry.deadline <= now]:
            self._fail(self._pending.pop(request_id), error)

    def _fail_all(self, error: BaseException) -> None:
        self._failure = self._failure or error
        while self._pending:
            self._fail(self._pending.pop(next(iter(self._pending))), self._failure)

    def _fail(self, entry: _Unanswered, error: BaseException) -> None:
        if not entry.answer.done():
            entry.answer.set_exception(error)
        self._release()

    def _release(self) -> None:
        self._window.release()
        if not self._pending:
            self._idle.set()
