"""Places in a user's stream of events."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """The place after an event of a user's stream."""

    epoch: str
    """Names one life of the stream: positions of different epochs can't be compared."""
    offset: int
    """The number of events before this place: 0 is the very start, and an event's own offset is the
    position after it (1 for the first)."""
