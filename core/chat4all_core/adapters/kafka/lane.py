"""The appends of one topic, in the order of the calls, while the topic moves from one generation to the next."""

import asyncio
from dataclasses import dataclass, field

from chat4all_core.adapters.kafka.polled_producer import Headers
from chat4all_core.adapters.kafka.topic import Topic
from chat4all_core.domain.source import Source


@dataclass(slots=True, eq=False)
class Append:
    """A record that is not answered yet."""

    number: int
    """Grows with each call."""
    called_at: float
    """Of the loop's clock, in seconds: not fine enough to tell which of two calls came first."""
    lane: "Lane"
    key: bytes
    value: bytes
    headers: Headers | None
    future: "asyncio.Future[Source]"
    was_refused: bool = False
    """By a topic that takes no records as large as this one."""


@dataclass(slots=True, eq=False)
class Lane:
    """Appends go to one generation at a time. The next ones are held until all that went to the one before are
    answered, so that those which were refused there come first."""

    topic: Topic
    in_flight: int = 0
    """Appends that the producer has."""
    held: list[Append] = field(default_factory=list)
    mover: "asyncio.Task[None] | None" = None
    """While appends are held: what finds out where they go."""

    def expire(self, before: float) -> list[Append]:
        """Take out what was called before a time, or is not wanted any more."""
        over = [append for append in self.held if append.called_at < before or append.future.done()]
        self.held = [append for append in self.held if append.called_at >= before and not append.future.done()]
        return over

    def release(self) -> list[Append]:
        """Take out all that is held, in the order of the calls."""
        released, self.held = sorted(self.held, key=lambda append: append.number), []
        return released
