"""A process held to a share of a core."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

_TICK = 0.02
_CREDIT = 0.1
"""Seconds of processor time that may be saved up while the process waits."""


@asynccontextmanager
async def held_to(process: psutil.Process, share: float) -> AsyncIterator[None]:
    """Within the context it is stopped whenever it has used more processor time than its share: what a quota of a
    control group does, without the right to make one."""
    holding = asyncio.create_task(_hold(process, share))
    try:
        yield
    finally:
        holding.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await holding


async def _hold(process: psutil.Process, share: float) -> None:
    credit, used, at = 0.0, _used(process), time.monotonic()
    try:
        while True:
            await asyncio.sleep(_TICK)
            now, uses = time.monotonic(), _used(process)
            credit = min(credit + share * (now - at) - (uses - used), _CREDIT)
            used, at = uses, now
            if credit < 0:
                process.suspend()
            else:
                process.resume()
    finally:
        process.resume()


def _used(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)
