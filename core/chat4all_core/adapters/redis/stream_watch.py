"""Hearing of new events of a user's stream."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from chat4all_core.adapters.redis.stream_blob import decode_publication
from chat4all_core.adapters.redis.subscriptions import Subscriptions
from chat4all_core.ports.user_stream import StreamEvent, Watch


class QueueWatch:
    """Implements Watch with a bounded queue, which never holds a part that looks whole: where something may be
    missing it begins anew, so that its reader sees a gap."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._loop = asyncio.get_running_loop()
        self._events: list[StreamEvent] = []
        self._notified = False
        self._waiting: asyncio.Future[None] | None = None

    def put(self, events: Sequence[StreamEvent]) -> None:
        """Queue events that follow each other."""
        held = self._events
        follows = not held or (
            held[-1].position.epoch == events[0].position.epoch
            and held[-1].position.offset + 1 == events[0].position.offset
        )
        if not follows or len(held) + len(events) > self._capacity:
            held.clear()
        held += events[-self._capacity :]
        self.wake()

    def miss(self) -> None:
        """Let the reader look into the stream, for events may have been missed."""
        self._events.clear()
        self.wake()

    async def next(self, timeout: float) -> Sequence[StreamEvent]:
        """See Watch.next."""
        if not self._notified and timeout > 0:
            # A future and a timer: asyncio's own timeouts cost a cancellation each time.
            self._waiting = self._loop.create_future()
            timer = self._loop.call_later(timeout, self.wake)
            try:
                await self._waiting
            finally:
                timer.cancel()
                self._waiting = None
        self._notified = False
        events, self._events = self._events, []
        return events

    def wake(self) -> None:
        """See Watch.wake."""
        self._notified = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


class WatchHub:
    """The watches of all users in this process, fed by one connection."""

    def __init__(self, subscriptions: Subscriptions, capacity: int) -> None:
        self._subscriptions = subscriptions
        self._capacity = capacity
        self._watches: dict[str, list[QueueWatch]] = {}

    @asynccontextmanager
    async def watch(self, channel: str) -> AsyncIterator[Watch]:
        """A watch that is in use within the context.

        Raises:
            UnavailableError: Redis does not confirm that it will tell of events.
        """
        watch = QueueWatch(self._capacity)
        watches = self._watches.setdefault(channel, [])
        watches.append(watch)
        try:
            await self._subscriptions.subscribe(channel)
            yield watch
        finally:
            watches.remove(watch)
            if not watches:
                del self._watches[channel]
                self._subscriptions.unsubscribe(channel)

    def publish(self, channel: str, message: bytes) -> None:
        """Tell the watches of events."""
        watches = self._watches.get(channel)
        if watches:
            events = decode_publication(message)
            for watch in watches:
                watch.put(events)

    def miss(self, channel: str) -> None:
        """Tell the watches that they may have missed events."""
        for watch in self._watches.get(channel, ()):
            watch.miss()
