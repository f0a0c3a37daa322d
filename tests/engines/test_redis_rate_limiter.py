"""Rate limits on Redis, between processes and without Redis."""

import asyncio
import os
import shutil
import time

import pytest
from engine_endpoints import VARIABLE
from engine_under_test import eventually, unique
from redis_server import RedisServer

from chat4all_core.adapters.memory.rate_limiter import MemoryRateLimiter
from chat4all_core.adapters.redis.client import RedisClient, open_client
from chat4all_core.adapters.redis.rate_limiter import RedisRateLimiter
from chat4all_core.domain.errors import ResourceExhaustedError
from chat4all_core.ports.rate_limiter import RateLimit, RateLimiter

pytestmark = pytest.mark.skipif(
    not os.environ.get(VARIABLE) or shutil.which("redis-server") is None,
    reason="starts Redis: see `make test-engines`",
)

SLOW = 0.001  # tokens a second: none comes back within a test


def shared(client: RedisClient) -> RedisRateLimiter:
    """The limiter of a process of its own."""
    return RedisRateLimiter(client, MemoryRateLimiter(time.monotonic), time.monotonic)


async def takes(limiter: RateLimiter, key: str, limit: RateLimit) -> int:
    """How many takes succeed until one is refused."""
    count = 0
    while True:
        try:
            await limiter.take(key, limit)
        except ResourceExhaustedError:
            return count
        count += 1


async def test_processes_share_a_bucket(redis: RedisServer) -> None:
    """Two processes together get what a bucket holds, also when they ask at the same time and take some at once."""
    key, limit = unique("ann"), RateLimit(SLOW, 100)
    async with open_client(redis.section) as one, open_client(redis.section) as other:
        counts = await asyncio.gather(*(takes(shared(client), key, limit) for client in (one, other)))
    assert sum(counts) == 100


async def test_most_takes_need_no_round_trip(redis: RedisServer) -> None:
    """Of a large bucket tokens are taken many at once, and what is refused is refused without asking again."""
    key, limit = unique("ann"), RateLimit(100, 1_000)
    async with open_client(redis.section) as client:
        limiter = shared(client)
        await redis.command("CONFIG", "RESETSTAT")
        for _ in range(500):
            await limiter.take(key, limit)
        key, limit = unique("bob"), RateLimit(SLOW, 1)
        await limiter.take(key, limit)
        for _ in range(500):
            with pytest.raises(ResourceExhaustedError):
                await limiter.take(key, limit)
        statistics = await redis.command("INFO", "commandstats")
    assert isinstance(statistics, dict)
    calls = sum(statistics.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("eval", "evalsha"))
    assert calls <= 20


async def test_without_redis_each_process_limits_for_itself(redis: RedisServer) -> None:
    """While Redis is away nobody is refused for that, a burst is still a burst, and afterwards the limit is shared
    again."""
    async with open_client(redis.section) as client, open_client(redis.section) as other:
        limiter = shared(client)
        redis.kill()
        assert await takes(limiter, unique("ann"), RateLimit(SLOW, 5)) == 5
        await redis.start()

        async def is_shared() -> bool:
            key, limit = unique("ann"), RateLimit(SLOW, 5)
            return await takes(limiter, key, limit) == 5 and await takes(shared(other), key, limit) == 0

        await eventually(is_shared)
