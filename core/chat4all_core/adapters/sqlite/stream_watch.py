"""Hearing of new events of a user's stream."""

import contextlib
from collections.abc import AsyncIterator, Sequence

from chat4all_core.adapters.sqlite.stream_writer import PlacedEvent
from chat4all_core.adapters.sqlite.wake_up import WakeUp
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_core.ports.user_stream import StreamEvent, Watch


class QueueWatch:
    """Implements Watch with a bounded queue. When it is full it begins anew with the newest event, so that
    its reader sees a gap."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._events: list[StreamEvent] = []
        self._wake_up = WakeUp()

    def put(self, event: StreamEvent) -> None:
        """Queue an event."""
        if len(self._events) >= self._capacity:
            self._events.clear()
        self._events.append(event)
        self._wake_up.notify()

    async def next(self, timeout: float) -> Sequence[StreamEvent]:
        """See Watch.next."""
        await self._wake_up.wait(0 if self._events else timeout)
        events, self._events = self._events, []
        return events

    def wake(self) -> None:
        """See Watch.wake."""
        self._wake_up.notify()


class WatchHub:
    """The watches of all users in this process."""

    def __init__(self, epoch: str, capacity: int) -> None:
        self._epoch = epoch
        self._capacity = capacity
        self._watches: dict[UserId, list[QueueWatch]] = {}

    @contextlib.asynccontextmanager
    async def watch(self, user_id: UserId) -> AsyncIterator[Watch]:
        """A watch that is in use within the context."""
        watch = QueueWatch(self._capacity)
        watches = self._watches.setdefault(user_id, [])
        watches.append(watch)
        try:
            yield watch
        finally:
            watches.remove(watch)
            if not watches:
                del self._watches[user_id]

    def publish(self, placed: Sequence[PlacedEvent]) -> None:
        """Tell the watches of durable events, in order."""
        for user_id, offset, append in placed:
            watches = self._watches.get(user_id)
            if watches:
                position = StreamPosition(self._epoch, offset)
                event = StreamEvent(position, append.conversation_id, append.payload)
                for watch in watches:
                    watch.put(event)
