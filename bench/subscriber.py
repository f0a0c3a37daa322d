"""A receiver who follows the stream and acknowledges what it gets, as the SDK does."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from bench.people import Metadata
from chat4all.status.v1 import status_service_pb2 as status
from chat4all.status.v1.status_service_pb2_grpc import StatusServiceStub

_ACKNOWLEDGE_SECONDS = 0.25
_BACKLOG = 2_000
_LOOKED_AT = 50  # of messages that come: to wake those who wait at each would cost too much


class Subscriber:
    """Counts messages, and notes when each came."""

    def __init__(self) -> None:
        self.times: dict[str, float] = {}
        """When each message came, by message id."""
        self._cursor = ""
        self._acknowledged = ""
        self._moved = asyncio.Condition()
        self._came = asyncio.Event()

    async def received(self, count: int) -> None:
        """Wait until so many messages have come and are acknowledged."""
        async with self._moved:
            await self._moved.wait_for(lambda: len(self.times) >= count and self._acknowledged == self._cursor)

    async def not_behind(self, sent: int) -> None:
        """Wait until no more than so many messages are on their way: the platform keeps so many events, and what is
        sustained is what arrives."""
        while sent - len(self.times) > _BACKLOG:
            self._came.clear()
            await self._came.wait()

    async def follow(self, stub: StatusServiceStub, who: Metadata, ready: asyncio.Event) -> None:
        """Note events until cancelled."""
        async for frame in stub.Subscribe(status.SubscribeRequest(), metadata=who):
            kind = frame.WhichOneof("frame")
            if kind == "event" and frame.event.WhichOneof("payload") == "message_created":
                self.times[frame.event.message_created.message.message_id] = time.perf_counter()
                if len(self.times) % _LOOKED_AT == 0:
                    self._came.set()
            if kind == "going_away":
                raise RuntimeError(f"the subscription ended: {frame.going_away}")
            self._cursor = frame.cursor
            if kind == "caught_up":
                self._acknowledged = frame.cursor
                ready.set()

    async def acknowledge(self, stub: StatusServiceStub, who: Metadata) -> None:
        """Acknowledge what has come, a few times a second, until cancelled."""
        while True:
            await asyncio.sleep(_ACKNOWLEDGE_SECONDS)
            if self._cursor != self._acknowledged:
                cursor = self._cursor
                await stub.Acknowledge(status.AcknowledgeRequest(cursor=cursor), metadata=who)
                self._acknowledged = cursor
                async with self._moved:
                    self._moved.notify_all()


@asynccontextmanager
async def subscribed(channel: grpc.aio.Channel, who: Metadata) -> AsyncIterator[Subscriber]:
    """A subscriber who has caught up."""
    subscriber, ready, stub = Subscriber(), asyncio.Event(), StatusServiceStub(channel)
    tasks = [
        asyncio.create_task(subscriber.follow(stub, who, ready)),
        asyncio.create_task(subscriber.acknowledge(stub, who)),
    ]
    await ready.wait()
    try:
        yield subscriber
    finally:
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
