"""Rate limits of one process."""

from collections.abc import Callable

from cachetools import LRUCache

from chat4all_core.domain.errors import Reason, ResourceExhaustedError
from chat4all_core.ports.rate_limiter import RateLimit

_BUCKETS = 100_000


class MemoryRateLimiter:
    """Implements RateLimiter where there is one process, and for as long as processes can't ask a shared one. Of so
    many buckets that memory must be bounded, the one that was used least recently is forgotten: it is full again."""

    def __init__(self, monotonic: Callable[[], float], max_buckets: int = _BUCKETS) -> None:
        self._monotonic = monotonic
        # A bucket is the time at which it will be full: one number, and no clock that refills it.
        self._full_at: LRUCache[str, float] = LRUCache(max_buckets)

    async def take(self, key: str, limit: RateLimit) -> None:
        """See RateLimiter.take."""
        now = self._monotonic()
        full_at = max(self._full_at.get(key, now), now) + 1 / limit.rate
        wait = full_at - now - limit.burst / limit.rate
        if wait > 1e-9:  # less than a nanosecond is rounding
            raise ResourceExhaustedError(Reason.RATE_LIMITED, "too many requests", wait)
        self._full_at[key] = full_at
