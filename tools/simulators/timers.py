"""Things that happen later, and not at all once the simulators are closed."""

import asyncio
from collections.abc import Callable


class Timers:
    """Calls to come."""

    def __init__(self) -> None:
        self._handles: set[asyncio.TimerHandle] = set()

    def after(self, seconds: float, call: Callable[[], object]) -> None:
        """Make a call in so many seconds. Which of two calls of the same moment is made first is open."""

        def due() -> None:
            self._handles.discard(handle)
            call()

        handle = asyncio.get_running_loop().call_later(seconds, due)
        self._handles.add(handle)

    def close(self) -> None:
        """Make no more calls."""
        for handle in self._handles:
            handle.cancel()
        self._handles.clear()
