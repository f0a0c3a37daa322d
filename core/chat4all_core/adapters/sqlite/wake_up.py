"""Waiting for the next change, in one event loop."""

import asyncio


class WakeUp:
    """One waiter at most. A notification while nobody waits ends the next wait at once."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._notified = False
        self._waiting: asyncio.Future[None] | None = None

    def notify(self) -> None:
        """End the wait."""
        self._notified = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    async def wait(self, timeout: float) -> None:
        """Wait to be notified, but not longer than `timeout` seconds."""
        if not self._notified and timeout > 0:
            # A future and a timer: asyncio's own timeouts cost a cancellation each time.
            self._waiting = self._loop.create_future()
            timer = self._loop.call_later(timeout, self.notify)
            try:
                await self._waiting
            finally:
                timer.cancel()
                self._waiting = None
        self._notified = False
