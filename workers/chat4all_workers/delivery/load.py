"""How much a connector holds in memory, and which partitions must give no more."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of one connector."""

    ahead: int = 10_000
    """How far reading a partition may be ahead of what is committed there."""
    jobs: int = 5_000
    """Deliveries in memory."""
    bytes: int = 32 << 20
    """Their values together."""
    of_one: int = 200
    """Deliveries to one person in memory, give or take what comes while one of them is told."""


class Load:
    """Tells full from not full with some room between, so that reading does not stop and go."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._full = False
        self._ahead: set[int] = set()

    def room(self, jobs: int) -> int:
        """How many more deliveries may come; `jobs` are there."""
        return max(0, self._bounds.jobs - jobs)

    def is_full(self, jobs: int, size: int) -> bool:
        """Whether no more must be read; `size` is that of all values together."""
        share = 0.5 if self._full else 1.0
        self._full = jobs >= share * self._bounds.jobs or size >= share * self._bounds.bytes
        return self._full

    def is_too_far(self, partition: int, ahead: int) -> bool:
        """Whether no more must be read of a partition."""
        share = 0.5 if partition in self._ahead else 1.0
        too_far = ahead >= share * self._bounds.ahead
        (self._ahead.add if too_far else self._ahead.discard)(partition)
        return too_far

    def forget(self, partition: int) -> None:
        """It is gone."""
        self._ahead.discard(partition)
