"""A delivery that a connector has taken up."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chat4all_core.domain.dead_letter import DeadLetterEvent
from chat4all_core.domain.delivery import Delivery
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.event_log import Record

_REMEMBERED = 20
"""Of what was tried in vain: the newest."""


@dataclass(slots=True)
class Job:
    """One record of topic chat4all.delivery.requested.{channel}.v1."""

    delivery: Delivery | None
    """None: it can't be read."""
    record: Record
    unreadable: str = ""
    """Why, then."""
    tries: int = 0
    """Calls after which the channel wanted to be asked again."""
    history: list[DeadLetterEvent] = field(default_factory=list)

    @property
    def source(self) -> Source:
        """Its place in the log."""
        return self.record.source

    @property
    def headers(self) -> Mapping[str, str]:
        """Of the record."""
        return self.record.headers

    def note(self, time: Timestamp, what: str) -> None:
        """Remember what was tried in vain."""
        self.history.append(DeadLetterEvent(time, what))
        del self.history[:-_REMEMBERED]


@dataclass(frozen=True, slots=True)
class Finished:
    """All that a job asks for is durable, and it need not be done again."""


@dataclass(frozen=True, slots=True)
class Postponed:
    """It has to wait for so long that it should not wait in memory."""

    until: Timestamp


Result = Finished | Postponed
