"""A rate that is kept where calls begin."""

import asyncio

from chat4all_core.ports.rate_limiter import RateLimit


class Pacer:
    """Of one process. Whoever comes waits for their turn, in the order in which they came; those who come no quicker
    than the limit wait for nothing."""

    def __init__(self, limit: RateLimit) -> None:
        self._limit = limit
        self._full_at = 0.0
        """When the bucket would be full again, in the loop's time."""

    async def turn(self) -> None:
        """Wait for it. A turn that is cancelled is gone."""
        now, limit = asyncio.get_running_loop().time(), self._limit
        self._full_at = max(self._full_at, now) + 1 / limit.rate
        wait = self._full_at - now - limit.burst / limit.rate
        if wait > 0:
            await asyncio.sleep(wait)
