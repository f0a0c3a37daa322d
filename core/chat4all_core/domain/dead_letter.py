"""Dead letters: records of the event log that could not be handled and never will be, kept for an operator."""

from dataclasses import dataclass
from typing import NewType

from chat4all_core.domain.timestamp import Timestamp

DeadLetterId = NewType("DeadLetterId", str)
"""A UUID made of where the record was, so that it is the same however often the record is rejected."""


@dataclass(frozen=True, slots=True)
class DeadLetterEvent:
    """Something that happened to the record before."""

    time: Timestamp
    what: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record with the reason why it is dead."""

    dead_letter_id: DeadLetterId
    topic: str
    """Where it was read; appended there again, it is tried again."""
    key: str
    value: bytes
    code: str
    """The channel's, or one of ours in capitals."""
    reason: str
    """For people."""
    rejected_at: Timestamp
    remedy: str = ""
    """What helps, where that is known."""
    history: tuple[DeadLetterEvent, ...] = ()
    """What was tried in vain before, oldest first."""
    redriven_at: Timestamp | None = None
    """When an operator had it tried again, last."""
