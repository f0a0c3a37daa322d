"""What was said in each conversation, for the page."""

import itertools
from collections import deque
from dataclasses import dataclass
from enum import StrEnum

from .bounded import Bounded
from .channel import Channel


class Direction(StrEnum):
    """Who did it."""

    BUSINESS = "business"
    CUSTOMER = "customer"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation of an account with a customer."""

    channel: Channel
    account: str
    customer: str


@dataclass(frozen=True, slots=True)
class TrafficEntry:
    """One thing that happened."""

    position: int
    """Counts the entries of all conversations, from 1."""
    at: float
    place: Place
    direction: Direction
    kind: str
    """A message's type, reaction, edit, deletion, read, or a state: sent, delivered, read, failed."""
    message_id: str | None
    """Which message it is, or is about."""
    text: str
    media_id: str | None


class Traffic:
    """The newest entries of the conversations that were used last."""

    def __init__(self, conversations: int, entries: int) -> None:
        self._entries = entries
        self._conversations: Bounded[Place, deque[TrafficEntry]] = Bounded(conversations)
        self._positions = itertools.count(1)

    def add(
        self,
        at: float,
        place: Place,
        direction: Direction,
        kind: str,
        *,
        message_id: str | None = None,
        text: str = "",
        media_id: str | None = None,
    ) -> None:
        """Note what happened."""
        entry = TrafficEntry(next(self._positions), at, place, direction, kind, message_id, text, media_id)
        self._conversations.get_or_make(place, lambda: deque(maxlen=self._entries)).append(entry)

    def newest(self) -> list[TrafficEntry]:
        """The last entry of each conversation, the newest first."""
        return [entries[-1] for entries in self._conversations][::-1]

    def read(self, place: Place, after: int = 0) -> list[TrafficEntry]:
        """The entries of a conversation behind a position, in order."""
        return [entry for entry in self._conversations.get(place) or () if entry.position > after]
