"""The event log: partitioned, ordered, durable.

Words. A *topic* has *partitions*, numbered from 0. A *record* has a *key*: all records of a key are in
one partition of the topic, in the order in which they were appended. A record's *offset* counts from 0
in its partition. A *group* is a set of consumers that share the partitions of one topic: each partition is with one
of them at a time, and the group remembers, per partition, the offset to go on from (*committed*).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chat4all_core.domain.channel import CHANNELS, ChannelName
from chat4all_core.domain.source import Source

MESSAGE_ACCEPTED = "chat4all.message.accepted.v1"
STATUS_UPDATED = "chat4all.status.updated.v1"
CHANNEL_RECEIVED = "chat4all.channel.received.v1"
DEAD_LETTER = "chat4all.dead.letter.v1"


def delivery_requested(channel: ChannelName) -> str:
    """The topic from which a channel's connector takes its work."""
    return f"chat4all.delivery.requested.{channel}.v1"


def connector_group(channel: ChannelName) -> str:
    """The group of a channel's connectors, who read that topic."""
    return f"chat4all.connector.{channel}"


TOPICS = (MESSAGE_ACCEPTED, STATUS_UPDATED, CHANNEL_RECEIVED, DEAD_LETTER, *map(delivery_requested, CHANNELS))
"""All of them. Topics of channels without an account hold what waits until there is one."""
GROUPS: Mapping[str, Sequence[str]] = {
    MESSAGE_ACCEPTED: ("chat4all.router",),
    STATUS_UPDATED: ("chat4all.status",),
    CHANNEL_RECEIVED: ("chat4all.inbound",),
    DEAD_LETTER: ("chat4all.dead_letter",),
}
"""Who must have handled all of a topic before its next generation may be opened. One that is not named here can't be
moved."""


@dataclass(frozen=True, slots=True)
class Record:
    """A record as it was read."""

    topic: str
    source: Source
    key: str
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    is_mark: bool = False
    """Of the log's own, without content: to be committed, not handled."""


class EventLog(Protocol):
    """The producing side."""

    def append(self, topic: str, key: str, value: bytes, headers: Mapping[str, str] | None = None) -> Awaitable[Source]:
        """Append a record; the answer comes once it is durable.

        Records appended by one process under one key keep the order of the *calls*, whether the caller
        waits between them or not: the record takes its place when `append` is called, not when it is
        awaited.

        Raises:
            UnavailableError: the log can't take the record now. It may be in the log all the same
                (as after any lost answer), so a caller who tries again must be idempotent.
        """
        ...

    def consumer(self, topic: str, group: str) -> "Consumer":
        """A new member of a group. It takes part from `start` to `close`."""
        ...

    async def ready(self) -> bool:
        """Whether appends can be expected to succeed now."""
        ...


AssignmentListener = Callable[[Sequence[int]], Awaitable[None]]
"""Called with partitions that were given to, or are about to be taken from, a consumer."""


class Consumer(Protocol):
    """One member of a group. Not to be shared between tasks."""

    async def start(self, on_assigned: AssignmentListener, on_revoked: AssignmentListener) -> None:
        """Join the group. The listeners are called from within `poll` and `close`, never at the same
        time as the caller handles a batch. `on_revoked` returns before another member gets the
        partitions (unless this member is taken for dead)."""
        ...

    async def poll(self, max_records: int, timeout: float) -> Sequence[Record]:
        """The next records of the assigned, unpaused partitions, each partition's in order; waits up to
        `timeout` seconds for the first. Empty when none came. Records that are not committed may come again at any
        time, with all that follow them, and without the partition having been given away.

        Raises:
            LogContradictionError: the position to go on from is not in the log.
        """
        ...

    async def commit(self, next_offsets: Mapping[int, int]) -> None:
        """Remember, per partition, the offset after the last handled record. Ignored for a partition that
        this member has lost.

        Raises:
            UnavailableError: the log can't take it now.
        """
        ...

    def rewind(self, next_offsets: Mapping[int, int]) -> None:
        """Go back: the next poll gives these partitions from these offsets on."""
        ...

    def pause(self, partitions: Sequence[int]) -> None:
        """Give no records of these partitions until they are resumed, or go to another member."""
        ...

    def resume(self, partitions: Sequence[int]) -> None:
        """Undo `pause`."""
        ...

    async def close(self) -> None:
        """Leave the group."""
        ...


class LogContradictionError(Exception):
    """The log and what is stored contradict each other: a position beyond the log's end, or one that
    is no longer kept. Going on would lose or repeat records; an operator has to look."""

    def __init__(self, message: str, partition: int) -> None:
        super().__init__(message)
        self.partition = partition
