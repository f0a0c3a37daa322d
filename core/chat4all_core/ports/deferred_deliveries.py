"""Deliveries that wait for long: a person's, with all that came for that person after them.

Words. A person's *queue* holds deliveries in the order of the log. It is *due* at a point in time: then its first
delivery may be tried.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp


@dataclass(frozen=True, slots=True)
class DeferredDelivery:
    """A record of topic chat4all.delivery.requested.{channel}.v1 that waits here instead of in the log."""

    source: Source
    value: bytes


class DeferredDeliveries(Protocol):
    """Used for a person by whoever has the log's partition of that person, and so by one at a time. Everything is
    idempotent. Each method raises UnavailableError: it may be done all the same, and may be called again."""

    async def add(self, to: ChannelAddress, deliveries: Sequence[DeferredDelivery], due_at: Timestamp) -> None:
        """Put deliveries into a person's queue, which is due then.

        Args:
            to: the person.
            deliveries: at least one, all of one partition.
            due_at: also of what is in the queue already.
        """
        ...

    async def due_at(self, to: ChannelAddress) -> Timestamp | None:
        """When a person's queue is due, or None: there is none."""
        ...

    async def first(self, to: ChannelAddress, limit: int) -> Sequence[DeferredDelivery]:
        """The first deliveries of a queue, in order."""
        ...

    async def remove(self, to: ChannelAddress, source: Source) -> None:
        """Take a delivery out of its queue. A queue without deliveries is none."""
        ...

    async def due(self, channel: ChannelName, partition: int, now: Timestamp, limit: int) -> Sequence[ChannelAddress]:
        """People whose queues are due, at most so many, the longest due first.

        Args:
            channel: whose people they are.
            partition: of the channel's topic.
            now: the time.
            limit: how many.
        """
        ...
