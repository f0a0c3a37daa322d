"""Topics as they lie in the cluster."""

import zlib
from dataclasses import dataclass

from chat4all_core.ports.generation_registry import TopicGeneration


class TopicError(Exception):
    """A topic is missing, or is not the one that was registered. An operator has to look; its text tells what to do."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic of the port in its current generation."""

    name: str
    """As the port names it."""
    physical_name: str
    """As the cluster names it."""
    generation: int
    partitions: int

    def partition_of(self, key: bytes) -> int:
        """The partition of a key: the same in every process and release, and the one that librdkafka's own
        `consistent` partitioner takes. It is computed here, from the registered number of partitions, so that
        partitions which somebody adds to the topic can't move keys."""
        return zlib.crc32(key) % self.partitions


def physical_name(prefix: str, name: str, generation: int) -> str:
    """The first generation of a topic has its name, the others have their number as a suffix."""
    return f"{prefix}{name}" if generation == 1 else f"{prefix}{name}.g{generation}"


def current_topic(prefix: str, registered: TopicGeneration) -> Topic:
    """Where the current generation lies."""
    return Topic(
        registered.topic,
        physical_name(prefix, registered.topic, registered.generation),
        registered.generation,
        registered.partitions,
    )
