"""Rate limits that all processes share, on Redis.

Most calls need no round trip: a process takes a few tokens at once from a key's bucket and gives them out itself, and
once it was told that there is none, and until when, it refuses by itself too. Tokens that it has not given out after
a second are dropped, so that a bucket's worth is never lent for long: together, processes never allow more than the
limit.
"""

import asyncio
from collections.abc import Callable

from cachetools import LRUCache

from chat4all_core.adapters.redis.client import RedisClient
from chat4all_core.adapters.redis.script import Call, load_script
from chat4all_core.domain.errors import Reason, ResourceExhaustedError, UnavailableError
from chat4all_core.ports.rate_limiter import RateLimit, RateLimiter

_LEASE = 1.0  # seconds
_LEASED_SHARE = 10
"""A process takes at most this part of a bucket at once, so that ten processes can share one evenly."""
_LEASES = 100_000
_OUTAGE = 1.0
"""Seconds without asking a Redis that did not answer: each try may cost its caller the whole timeout."""


class RedisRateLimiter:
    """Implements RateLimiter. While Redis can't be asked, each process limits for itself."""

    def __init__(self, client: RedisClient, alone: RateLimiter, monotonic: Callable[[], float]) -> None:
        self._client = client
        self._alone = alone
        self._monotonic = monotonic
        self._script = load_script("take")
        self._leases: LRUCache[str, _Lease] = LRUCache(_LEASES)
        self._alone_until = 0.0

    async def take(self, key: str, limit: RateLimit) -> None:
        """See RateLimiter.take."""
        lease = self._leases.get(key)
        if lease is None:
            lease = self._leases[key] = _Lease()
        while not lease.take(self._monotonic()):
            if self._monotonic() < self._alone_until:
                return await self._alone.take(key, limit)
            # One asks for all who wait, and then each tries again.
            if lease.asking is None:
                lease.asking = asyncio.create_task(self._ask(key, limit, lease))
            await asyncio.shield(lease.asking)
        return None

    async def _ask(self, key: str, limit: RateLimit, lease: "_Lease") -> None:
        wanted = max(1, min(limit.burst // _LEASED_SHARE, int(limit.rate * _LEASE)))
        name = f"{self._client.key_prefix}limit:{{{key}}}"
        try:
            given, wait = await self._client.run(Call(self._script, [name], [limit.rate, limit.burst, wanted]))
        except UnavailableError:
            self._alone_until = self._monotonic() + _OUTAGE
        else:
            lease.fill(given, self._monotonic(), wait / 1_000_000)
        finally:
            lease.asking = None


class _Lease:
    """What this process knows of a bucket."""

    __slots__ = ("_empty_until", "_ends_at", "_tokens", "asking")

    def __init__(self) -> None:
        self.asking: asyncio.Task[None] | None = None
        self._tokens = 0
        self._ends_at = 0.0
        self._empty_until = 0.0

    def fill(self, tokens: int, now: float, wait: float) -> None:
        """Take over tokens, or learn how long there will be none."""
        self._tokens, self._ends_at, self._empty_until = tokens, now + _LEASE, now + wait

    def take(self, now: float) -> bool:
        """Whether there was a token here.

        Raises:
            ResourceExhaustedError: there is none in the bucket either.
        """
        if now < self._empty_until:
            raise ResourceExhaustedError(Reason.RATE_LIMITED, "too many requests", self._empty_until - now)
        if not self._tokens or now >= self._ends_at:
            return False
        self._tokens -= 1
        return True
