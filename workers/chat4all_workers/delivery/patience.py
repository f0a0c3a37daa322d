"""Waiting for engines that are away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import ParamSpec, TypeVar

import structlog

from chat4all_core.domain.errors import RetryableError

_LEAST_SECONDS = 0.1
_log = structlog.get_logger(__name__)

P = ParamSpec("P")
T = TypeVar("T")


async def persist(call: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a call gives, which is made until an engine answers it: for what must be done, and may be done again."""
    while True:
        try:
            return await call(*args, **kwargs)
        except RetryableError as error:
            _log.warning("an engine can't serve a delivery now", cause=str(error))
            await asyncio.sleep(max(error.retry_after, _LEAST_SECONDS))
