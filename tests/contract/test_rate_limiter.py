"""RateLimiter: never more than the limit, and soon again."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from engine_endpoints import engine_endpoints
from engine_under_test import DEADLINE, unique

from chat4all_core.adapters.memory.rate_limiter import MemoryRateLimiter
from chat4all_core.domain.errors import Reason, ResourceExhaustedError
from chat4all_core.ports.rate_limiter import RateLimit, RateLimiter

SLOW = 0.001  # tokens a second: none comes back within a test

KINDS = ["memory", *(["redis"] if "redis" in engine_endpoints() else [])]


@pytest_asyncio.fixture(params=KINDS)
async def limiter(request: pytest.FixtureRequest) -> AsyncIterator[RateLimiter]:
    """Each kind of adapters in turn."""
    alone = MemoryRateLimiter(time.monotonic)
    if request.param == "memory":
        yield alone
        return
    from redis_platform import section_for

    from chat4all_core.adapters.redis.client import open_client
    from chat4all_core.adapters.redis.rate_limiter import RedisRateLimiter

    async with open_client(section_for(engine_endpoints()["redis"])) as client:
        yield RedisRateLimiter(client, alone, time.monotonic)


async def allowed(limiter: RateLimiter, key: str, limit: RateLimit, tries: int) -> int:
    """How many of several takes at once succeed."""

    async def take() -> bool:
        try:
            await limiter.take(key, limit)
        except ResourceExhaustedError:
            return False
        return True

    return sum(await asyncio.gather(*(take() for _ in range(tries))))


async def refusal(limiter: RateLimiter, key: str, limit: RateLimit) -> ResourceExhaustedError:
    """Take until it is refused."""
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                await limiter.take(key, limit)
            except ResourceExhaustedError as error:
                return error


async def test_a_burst_is_allowed_and_no_more(limiter: RateLimiter) -> None:
    """A full bucket gives its tokens one by one, then the refusal names its reason and when to come again."""
    key, limit = unique("ann"), RateLimit(SLOW, 3)
    for _ in range(3):
        await limiter.take(key, limit)
    for _ in range(2):
        with pytest.raises(ResourceExhaustedError) as error:
            await limiter.take(key, limit)
        assert error.value.reason == Reason.RATE_LIMITED
        assert 0 < error.value.retry_after <= 1 / SLOW


@pytest.mark.parametrize("burst", [1, 7, 100])
async def test_those_who_come_at_once_share_a_bucket(limiter: RateLimiter, burst: int) -> None:
    """Of many takes at the same time exactly as many succeed as there are tokens."""
    assert await allowed(limiter, unique("ann"), RateLimit(SLOW, burst), 2 * burst) == burst


async def test_keys_do_not_share_a_bucket(limiter: RateLimiter) -> None:
    """Who has used up their tokens takes none of others'."""
    ann, bob, limit = unique("ann"), unique("bob"), RateLimit(SLOW, 5)
    assert await allowed(limiter, ann, limit, 10) == 5
    assert await allowed(limiter, bob, limit, 10) == 5


async def test_a_bucket_fills_again(limiter: RateLimiter) -> None:
    """After a refusal there is a token again once `retry_after` is over."""
    key, limit = unique("ann"), RateLimit(20, 2)

    refused = await refusal(limiter, key, limit)
    loop = asyncio.get_running_loop()
    end = loop.create_future()
    loop.call_later(refused.retry_after, end.set_result, None)
    await asyncio.wait_for(end, DEADLINE)
    await limiter.take(key, limit)


@pytest.mark.parametrize(("rate", "burst"), [(0, 1), (-1.0, 1), (float("nan"), 1), (1.0, 0)])
def test_a_limit_allows_something(rate: float, burst: int) -> None:
    """A limit under which nothing could ever be done is a mistake."""
    with pytest.raises(ValueError, match="a limit needs"):
        RateLimit(rate, burst)
