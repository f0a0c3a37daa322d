"""Gives every call an end."""

import asyncio
from typing import Any

from chat4all_server.errors import DeadlineExceededError
from chat4all_server.interceptors.interceptor import Behavior, Context, Interceptor, Method

DEFAULT_SECONDS = 30.0
"""For callers who set no deadline."""

LONGEST_SECONDS = 60.0
"""Later deadlines are trimmed to this: no call that is answered once has reason to take longer."""


class Deadline(Interceptor):
    """Refuses calls with DEADLINE_EXCEEDED once their time is over. Streams may take for ever."""

    def __init__(self, default_seconds: float = DEFAULT_SECONDS, longest_seconds: float = LONGEST_SECONDS) -> None:
        super().__init__()
        self._default_seconds = default_seconds
        self._longest_seconds = longest_seconds

    def wrap(self, method: Method, behavior: Behavior) -> Behavior:
        """The behavior, cancelled when the deadline passes."""
        if method.streaming:
            return behavior

        async def limited(request: Any, context: Context) -> Any:
            remaining: float | None = context.time_remaining()
            seconds = self._default_seconds if remaining is None else min(remaining, self._longest_seconds)
            try:
                async with asyncio.timeout(seconds) as timeout:
                    return await behavior(request, context)
            except TimeoutError:
                if timeout.expired():
                    raise DeadlineExceededError from None
                raise

        return limited
