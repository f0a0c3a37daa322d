"""What an operator's command does to the topics of the event log."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from chat4all_core.ports.generation_registry import TopicGeneration


class TopicCondition(Enum):
    """What is where a generation should be."""

    AS_REGISTERED = "as registered"
    REPARTITIONED = "there, with another number of partitions"
    MISSING = "missing"
    MADE_ANEW = "another topic of the same name, made after it was lost"

    @property
    def is_lost(self) -> bool:
        """Whether nothing of the generation is left."""
        return self in (TopicCondition.MISSING, TopicCondition.MADE_ANEW)


@dataclass(frozen=True, slots=True)
class ReaderPosition:
    """How far a group has come in a partition."""

    group: str
    partition: int
    committed: int | None
    """The offset to go on from; None when the group has never committed one."""
    first: int
    """The first offset that the log keeps."""
    end: int
    """The offset after the last record that is durable."""

    @property
    def contradicts(self) -> bool:
        """Whether the group can't go on: its place is not in the log."""
        return self.committed is not None and not self.first <= self.committed <= self.end

    @property
    def unread(self) -> int:
        """How many records the group has not handled."""
        return self.end - (self.first if self.committed is None else self.committed)


class LogAdmin(Protocol):
    """The topics, as they lie in the log. Every method may be repeated, after any failure."""

    async def condition(self, generation: TopicGeneration) -> TopicCondition:
        """What is there of a registered generation.

        Raises:
            UnavailableError: it can't be known now.
        """
        ...

    async def create(self, topic: str, generation: int, partitions: int) -> TopicGeneration:
        """Make the place of a generation that nobody uses yet, or take up what an interrupted call has made.

        Raises:
            GenerationConflictError: there is something else in its place.
            UnavailableError: it may be made in part.
        """
        ...

    async def mark(self, generation: TopicGeneration) -> None:
        """Append a record without content to every partition, which readers commit and pass over.

        Raises:
            UnavailableError: not every partition may have one.
        """
        ...

    async def seal(self, generation: TopicGeneration) -> None:
        """Have the log itself refuse every further append to what lies in a generation's place, whoever makes it and
        however late it comes. Afterwards, whatever was or will ever be acknowledged lies before the ends that
        `positions` tells.

        Raises:
            UnavailableError: it may be sealed in part.
        """
        ...

    async def positions(self, generation: TopicGeneration, groups: Sequence[str]) -> Sequence[ReaderPosition]:
        """How far groups have come in each partition of a generation.

        Raises:
            UnavailableError: it can't be known now.
        """
        ...
