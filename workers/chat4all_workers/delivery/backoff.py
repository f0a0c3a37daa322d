"""How long to wait before the next try, where nobody says so."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Twice as long each time, with jitter, so that those who failed together do not try again together."""

    first: float
    """Seconds."""
    longest: float

    def seconds(self, tries: int, rng: random.Random) -> float:
        """After so many tries, 1 and more, that failed in a row."""
        return min(self.first * 2.0 ** min(tries - 1, 30), self.longest) * rng.uniform(0.75, 1.25)
