"""Work that is done side by side, and whose outcomes count one after the other."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class InOrder:
    """So many works at a time. What comes of them is recorded in the order in which they were added, so that it has no
    gap, whichever is done first. After an error nothing later is recorded, and all but `close` raise that error."""

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._running: deque[asyncio.Task[None]] = deque()

    async def room(self) -> None:
        """Wait until one more may be added. May be cancelled."""
        await self._until_fewer_than(self._at_once)

    def add(self, work: Coroutine[Any, Any, T], record: Callable[[T], Awaitable[None]]) -> None:
        """Begin a work; there is room for it."""
        before = self._running[-1] if self._running else None
        self._running.append(asyncio.create_task(_run(before, work, record)))

    async def recorded(self) -> None:
        """Wait until everything is. May be cancelled."""
        await self._until_fewer_than(1)

    async def close(self) -> None:
        """Wait for what is under way, whatever becomes of it."""
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _until_fewer_than(self, number: int) -> None:
        while len(self._running) >= number:
            await asyncio.shield(self._running[0])
            self._running.popleft()


async def _run(
    before: asyncio.Task[None] | None, work: Coroutine[Any, Any, T], record: Callable[[T], Awaitable[None]]
) -> None:
    outcome = await work
    if before is not None:
        await asyncio.shield(before)
    await record(outcome)
