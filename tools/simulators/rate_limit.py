"""Token buckets: the services' own limits."""

from dataclasses import dataclass, field

from .clock import Now


@dataclass(slots=True)
class TokenBucket:
    """Holds at most `burst` tokens and gains `rate` of them a second; it starts full."""

    rate: float
    burst: float
    now: Now
    _tokens: float = field(init=False)
    _at: float = field(init=False)

    def __post_init__(self) -> None:
        self._tokens = self.burst
        self._at = self.now()

    def take(self) -> float:
        """Take a token: 0. When there is none, none is taken, and the answer is in how many seconds there will be."""
        now = self.now()
        self._tokens = min(self.burst, self._tokens + max(0.0, now - self._at) * self.rate)
        self._at = now
        if self._tokens >= 1:
            self._tokens -= 1
            return 0.0
        return (1 - self._tokens) / self.rate

    def give_back(self) -> None:
        """Return a token that was taken for what another limit then refused."""
        self._tokens = min(self.burst, self._tokens + 1)
