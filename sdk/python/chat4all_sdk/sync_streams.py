"""The synchronous faces of subscriptions and send streams."""

from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from types import TracebackType
from typing import Self

from chat4all_sdk.background_loop import BackgroundLoop
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.events import Event
from chat4all_sdk.models import SentMessage
from chat4all_sdk.send_stream import SendStream
from chat4all_sdk.subscription import Subscription

__all__ = ["SyncSendStream", "SyncSubscription"]


class SyncSubscription:
    """A Subscription for synchronous programs, to be used with `with`."""

    def __init__(
        self,
        loop: BackgroundLoop,
        client: AsyncClient,
        *,
        cursor: str | None,
        conversation_id: str | None,
        acknowledge: bool,
        silence: float,
    ) -> None:
        """Starts to follow at once."""
        self._loop = loop

        async def start() -> Subscription:
            subscription = client.subscribe(cursor, conversation_id, acknowledge=acknowledge, silence=silence)
            return await subscription.__aenter__()

        self._subscription = loop.run(start())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Event:
        """The next event; waits for it. An interrupt loses none."""
        event = self._loop.run(self._next())
        if event is None:
            raise StopIteration
        return event

    def close(self) -> None:
        """Ends the iteration, also one that waits in another thread, and acknowledges what was taken."""
        self._loop.run(self._subscription.aclose())

    async def _next(self) -> Event | None:
        # StopAsyncIteration can't leave a coroutine.
        return await anext(self._subscription, None)


class SyncSendStream:
    """A SendStream for synchronous programs, to be used with `with`."""

    def __init__(self, loop: BackgroundLoop, client: AsyncClient, *, window: int) -> None:
        self._loop = loop

        async def start() -> SendStream:
            return await client.send_stream(window=window).__aenter__()

        self._stream = loop.run(start())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.run(self._stream.__aexit__(kind, error, trace))

    def send(
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
        """Sends a message and waits until it is durable."""
        return self._loop.run(
            self._stream.send(
                conversation_id,
                text,
                file_id=file_id,
                request_id=request_id,
                reply_to=reply_to,
                metadata=metadata,
                channels=channels,
            )
        )

    def submit(
        self,
        conversation_id: str,
        text: str = "",
        *,
        file_id: str | None = None,
        request_id: str | None = None,
        reply_to: str | None = None,
        metadata: Mapping[str, str] | None = None,
        channels: Iterable[str] = (),
    ) -> "Future[SentMessage]":
        """Sends a message without waiting for its answer.

        Messages of one thread go out in the order of its calls.
        """
        return self._loop.submit(
            self._stream.send(
                conversation_id,
                text,
                file_id=file_id,
                request_id=request_id,
                reply_to=reply_to,
                metadata=metadata,
                channels=channels,
            )
        )

    def drain(self) -> None:
        """Waits until every message sent so far is answered."""
        self._loop.run(self._stream.drain())

    def close(self) -> None:
        """Ends the stream at once; unanswered messages fail, though they may have been stored."""
        self._loop.run(self._stream.aclose())
