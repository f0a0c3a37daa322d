"""Work that is done side by side, and whose outcomes count one after the other."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from itertools import takewhile
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class InOrder(Generic[T]):
    """So many works at a time. What comes of them is recorded in the order in which they were added, so that it has no
    gap, whichever is done first. After an error nothing later is recorded, and all but `close` raise that error.

    While others are under way, an outcome waits until `together` of them can be recorded as one.
    """

    def __init__(self, at_once: int, together: int, record: Callable[[Sequence[T]], Awaitable[None]]) -> None:
        """`at_once`: works that are not recorded yet; more than `together`."""
        self._at_once = at_once
        self._together = together
        self._record = record
        self._works: deque[asyncio.Task[T]] = deque()
        self._recording: asyncio.Task[None] | None = None

    async def room(self) -> None:
        """Wait until one more may be added. May be cancelled."""
        await self._until_fewer_than(self._at_once)

    def add(self, work: Coroutine[Any, Any, T]) -> None:
        """Begin a work; there is room for it."""
        self._works.append(asyncio.create_task(work))
        if len(self._works) == 1:
            self._recording = asyncio.create_task(self._record_next())

    async def recorded(self) -> None:
        """Wait until everything is. May be cancelled."""
        await self._until_fewer_than(1)

    async def close(self) -> None:
        """Wait for what is under way, whatever becomes of it."""
        await asyncio.gather(self.recorded(), return_exceptions=True)
        await asyncio.gather(*self._works, return_exceptions=True)

    async def _until_fewer_than(self, number: int) -> None:
        while len(self._works) >= number:
            assert self._recording is not None
            await asyncio.shield(self._recording)

    async def _record_next(self) -> None:
        await asyncio.wait({self._works[0]})
        while len(ready := list(takewhile(_succeeded, self._works))) < self._together:
            under_way = [work for work in self._works if not work.done()]
            if not under_way:
                break
            await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)
        await self._record([work.result() for work in ready or [self._works[0]]])
        for _ in ready:
            self._works.popleft()
        if self._works:
            self._recording = asyncio.create_task(self._record_next())


def _succeeded(work: "asyncio.Task[Any]") -> bool:
    return work.done() and not work.cancelled() and work.exception() is None
