"""Where in the event log a row came from."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """The log record that caused a write.

    Ordered by (generation, partition, offset). All records of a conversation in one generation are
    in one partition, so for rows of one conversation this is the order of acceptance.
    """

    generation: int
    """1, 2, 3, …: counts the lives of a topic (a topic is never re-partitioned in place)."""
    partition: int
    """From 0."""
    offset: int
    """From 0, without gaps that matter."""
