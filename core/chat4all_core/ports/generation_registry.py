"""Which generation of each topic of the event log is in use.

A topic is never re-partitioned in place, and one that was lost is not quietly made anew: what comes after it is
its next *generation*, and sources (`domain.source`) carry the generation's number. The registry is the counter.

Before a generation is succeeded it is *sealed*: the log itself refuses every append to it from then on.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TopicGeneration:
    """One life of a topic."""

    topic: str
    generation: int
    """1, 2, 3, …"""
    partitions: int
    identity: str
    """What the log itself calls this life: a topic of the same name that is made anew has another."""
    sealed: bool = False
    """It takes no more appends, or soon will not, and its successor is not open yet."""


class GenerationConflictError(Exception):
    """Something else is there than what the caller has seen, such as the work of another operator. The text says
    what."""


class GenerationRegistry(Protocol):
    """The current generations. Every process reads them, operators' commands write them, each change only on what
    it was meant for."""

    async def current(self) -> Mapping[str, TopicGeneration]:
        """The current generation of each topic that has one, as it was after every write that was answered.

        Raises:
            UnavailableError: it can't be read now.
        """
        ...

    async def seal(self, generation: TopicGeneration) -> None:
        """Note durably that a topic's current generation takes no more. Sealing it again does nothing.

        Raises:
            GenerationConflictError: it is not the current one.
            UnavailableError: it may or may not be sealed.
        """
        ...

    async def register(self, opened: TopicGeneration) -> None:
        """Make a generation its topic's current one, durably: the first, or the one after a sealed one. Registering
        the current one again does nothing.

        Raises:
            GenerationConflictError: it does not follow the current one, or that is not sealed.
            UnavailableError: it may or may not be registered.
        """
        ...
