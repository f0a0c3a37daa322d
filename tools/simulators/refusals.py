"""How often each service said no."""

from collections import Counter

from .channel import Channel


class Refusals:
    """Refused requests by the service's own code, those that faults refused included."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[Channel, int]] = Counter()

    def note(self, channel: Channel, code: int) -> None:
        """Count one."""
        self._counts[channel, code] += 1

    def count(self, channel: Channel, code: int) -> int:
        """How many there were with this code."""
        return self._counts[channel, code]

    def all(self) -> dict[tuple[Channel, int], int]:
        """Every count."""
        return dict(self._counts)
