"""Reading the log, until one is asked to stop."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from chat4all_core.ports.event_log import AssignmentListener, Consumer, Record

_HEALTHY_SECONDS = 30.0
"""A batch takes milliseconds; one that takes longer than this is stuck."""


class Reading:
    """One member of a group: what every worker that reads the log does alike."""

    def __init__(self, consumer: Consumer) -> None:
        self._consumer = consumer
        self._stop = asyncio.Event()
        self._polling: asyncio.Task[Sequence[Record]] | None = None
        self._heard_at = float("-inf")

    async def run(
        self, step: Callable[[], Awaitable[None]], on_assigned: AssignmentListener, on_revoked: AssignmentListener
    ) -> None:
        """Be a member, and do one step after the other, until `stop` is called; the step at hand is finished first."""
        await self._consumer.start(on_assigned, on_revoked)
        try:
            while not self._stop.is_set():
                await step()
        finally:
            await self._consumer.close()

    def stop(self) -> None:
        """Ask for an end; a poll or a pause at hand is cut short."""
        self._stop.set()
        if self._polling is not None:
            self._polling.cancel()

    async def poll(self, most: int, patience: float) -> Sequence[Record]:
        """See Consumer.poll; nothing when it was cut short."""
        self._polling = asyncio.create_task(self._consumer.poll(most, patience))
        try:
            records = await self._polling
        except asyncio.CancelledError:
            if not self._stop.is_set():
                raise
            return ()
        finally:
            self._polling = None
        self._heard_at = _now()
        return records

    async def pause(self, seconds: float) -> None:
        """Wait."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)

    @property
    def silence(self) -> float:
        """Seconds since the log was read last."""
        return _now() - self._heard_at

    @property
    def is_healthy(self) -> bool:
        """Whether the log was read lately."""
        return self.silence < _HEALTHY_SECONDS


def _now() -> float:
    return asyncio.get_running_loop().time()
