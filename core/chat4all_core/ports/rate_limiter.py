"""How often somebody may do something.

Words. A *bucket* belongs to a key, holds up to `burst` tokens, begins full, and gains `rate` tokens a second until it
is full again. Doing something once takes a token.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class RateLimit:
    """The size of a bucket, and how quickly it fills."""

    rate: float
    """Tokens a second, above 0: what is allowed in the long run."""
    burst: int
    """Tokens that a full bucket holds, at least 1: what is allowed at once."""

    def __post_init__(self) -> None:
        if not self.rate > 0 or self.burst < 1:
            raise ValueError(f"a limit needs a rate above 0 and a burst of at least 1, not {self}")


class RateLimiter(Protocol):
    """The buckets of all keys. All processes of the platform draw on the same ones: together they never allow more
    than the limit, and may allow a little less while one of them holds tokens that another asks for."""

    async def take(self, key: str, limit: RateLimit) -> None:
        """Take a token from a key's bucket. A key is always used with the same limit.

        Raises:
            ResourceExhaustedError: RATE_LIMITED; there is none, and there may be one after `retry_after` seconds.
        """
        ...
