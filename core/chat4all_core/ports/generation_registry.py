"""Which generation of each topic of the event log is in use.

A topic is never re-partitioned in place, and one that was lost is not quietly made anew: what comes after it is
its next *generation*, and sources (`domain.source`) carry the generation's number. The registry is the counter.
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


class GenerationRegistry(Protocol):
    """The current generations. Written by operators' commands, one at a time."""

    async def current(self) -> Mapping[str, TopicGeneration]:
        """The current generation of each topic that has one.

        Raises:
            UnavailableError: it can't be read now.
        """
        ...

    async def register(self, opened: TopicGeneration) -> None:
        """Make a generation its topic's current one, durably. Registering the current one again does nothing.

        Raises:
            ValueError: it does not follow the current one.
            UnavailableError: it may or may not be registered.
        """
        ...
