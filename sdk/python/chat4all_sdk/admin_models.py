"""What those who operate the platform are given."""

from dataclasses import dataclass
from datetime import datetime

__all__ = ["DeadLetter", "DeadLetterEvent", "SystemStatus"]


@dataclass(frozen=True, slots=True)
class DeadLetterEvent:
    """Something that happened to a dead letter before it was one."""

    time: datetime
    what: str


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """Something that could not be handled and never will be, unless it is redriven.

    `key` is the address where it is a delivery; `code` is the channel's, or one of the platform's in capitals;
    `reason` and `remedy` are for people.
    """

    dead_letter_id: str
    topic: str
    key: str
    code: str
    reason: str
    remedy: str
    reject_time: datetime
    redrive_time: datetime | None
    history: tuple[DeadLetterEvent, ...]


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """How the platform does, as the server that answers sees it: `parts` by name, and whether each is ready."""

    ready: bool
    parts: dict[str, bool]
    channels: tuple[str, ...]
    start_time: datetime
