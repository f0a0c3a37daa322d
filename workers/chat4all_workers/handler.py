"""What a worker role is: a handler of batches of records.

Words. A handler's *outcome* is one of: *done* (commit; some records may be *rejected*, that is, written to the
dead-letter topic with a reason), *retry after* (the same batch again later), or *halt* (a partition must not go on
until an operator has looked).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chat4all_core.ports.event_log import Record
from chat4all_workers.dead_letter import UNREADABLE

TOO_MANY_UNREADABLE = "too many records in a row can't be read; the last one:"
"""Why a partition is halted."""
HALT_REMEDY = "nothing is lost; see to the cause, then restart this worker (docs/operating.md, Halted partitions)"


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record that can't ever be handled."""

    record: Record
    reason: str
    code: str = UNREADABLE
    """Of ours, in capitals. Only unreadable ones count for the limit at which a partition is halted."""
    remedy: str = ""
    """What helps, where that is known."""


@dataclass(frozen=True, slots=True)
class Done:
    """Everything that the batch asks for is durable."""

    rejected: Sequence[Rejection] = ()


@dataclass(frozen=True, slots=True)
class RetryAfter:
    """Nothing may be committed yet; give the batch again."""

    seconds: float
    cause: str


@dataclass(frozen=True, slots=True)
class Halt:
    """Nothing may be committed; the partition stops."""

    partition: int
    cause: str


Outcome = Done | RetryAfter | Halt


class Handler(Protocol):
    """One worker role. It neither commits, waits nor pauses: the runtime alone does."""

    topic: str
    role: str
    """Names the consumer group, metrics and logs."""

    def partitions_changed(self, partitions: Sequence[int]) -> None:
        """These have just come or are about to go: forget all state of theirs."""
        ...

    async def handle(self, records: Sequence[Record]) -> Outcome:
        """Handle records of several partitions, each partition's in order. The same records may come again, in
        the same batch or in batches of another size. An exception counts as RetryAfter, but for
        LogContradictionError, which counts as Halt."""
        ...
