"""What the contract suites know of the adapters they run against."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from chat4all_core.ports.engine import Engine

DEADLINE = 30.0
"""Seconds after which something that must happen has not."""


@dataclass(frozen=True, slots=True)
class EngineUnderTest:
    """The adapters of one kind, with bounds that are small enough to be reached."""

    open: Callable[[], AbstractAsyncContextManager[Engine]]
    """Opens the same data each time."""
    new_topic: Callable[[], Awaitable[str]]
    """Makes a topic of the log, where that must be done, before `open`."""
    session_timeout: float
    """Seconds after which a silent member of a group is taken for dead."""
    max_unanswered: int
    """More appends than this are certainly refused while none is answered."""
    max_events: int
    """A stream that is half as long again has certainly lost its first events."""
    watch_capacity: int
    """A watch holds so many events."""


def unique(what: str) -> str:
    """A name that no other test uses: engines are shared."""
    return f"{what}-{uuid.uuid4()}"


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(DEADLINE):
        while not await condition():
            await asyncio.sleep(0.01)
