"""Load, and what it measures."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

Call = Callable[[int], Awaitable[object]]
"""Does one unit of work; the argument counts them."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a round of load gave."""

    count: int
    seconds: float
    latencies: Sequence[float]
    """Seconds, sorted."""

    @property
    def rate(self) -> float:
        """Units a second."""
        return self.count / self.seconds

    def percentile(self, percent: float) -> float:
        """Milliseconds within which so many percent were done."""
        return 1_000 * self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * percent / 100))]


async def closed_loop(call: Call, *, seconds: float, in_flight: int) -> Measured:
    """As many calls as can be done with so many in flight."""
    latencies: list[float] = []
    counter = iter(range(1 << 62))
    start = time.perf_counter()
    end = start + seconds

    async def work() -> None:
        while (before := time.perf_counter()) < end:
            await call(next(counter))
            latencies.append(time.perf_counter() - before)

    await asyncio.gather(*(work() for _ in range(in_flight)))
    return Measured(len(latencies), time.perf_counter() - start, sorted(latencies))


async def closed_loop_of(call: Call, *, count: int, in_flight: int) -> None:
    """So many calls, with so many in flight."""
    counter = iter(range(count))

    async def work() -> None:
        for number in counter:
            await call(number)

    await asyncio.gather(*(work() for _ in range(in_flight)))


async def open_loop(call: Call, *, seconds: float, rate: float) -> Measured:
    """Calls at a fixed rate, whether the earlier ones are done or not; latency counts from when each was due."""
    latencies: list[float] = []
    start = time.perf_counter()

    async def one(number: int, due: float) -> None:
        await call(number)
        latencies.append(time.perf_counter() - due)

    async with asyncio.TaskGroup() as group:
        for number in range(int(seconds * rate)):
            due = start + number / rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            group.create_task(one(number, due))
    return Measured(len(latencies), time.perf_counter() - start, sorted(latencies))
