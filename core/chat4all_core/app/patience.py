"""Waiting for a store that is away for a moment."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import structlog

from chat4all_core.domain.errors import Reason, UnavailableError

T = TypeVar("T")

_log = structlog.get_logger(__name__)

_PAUSE_SECONDS = 0.5


async def patiently(call: Callable[[], Awaitable[T]], seconds: float) -> T:
    """Make a call that may be made again, and again while the store is away: until so many seconds have passed since it
    first was. A store that is full is not away.

    Raises:
        UnavailableError: it stayed away, or is full.
    """
    clock = asyncio.get_running_loop().time
    give_up: float | None = None
    while True:
        try:
            return await call()
        except UnavailableError as error:
            give_up = give_up or clock() + seconds
            if error.reason is not Reason.UNAVAILABLE or clock() + _PAUSE_SECONDS > give_up:
                raise
            _log.info("store_away", error=error.message)
        await asyncio.sleep(_PAUSE_SECONDS)
