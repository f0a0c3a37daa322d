"""When each send was begun, answered, and known to each subscriber."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Send:
    """One message. Times are of `time.monotonic`."""

    number: int
    conversation_id: str
    begun: float
    answered: float | None = None
    message_id: str = ""
    known: dict[str, float] = field(default_factory=dict)
    """When each subscriber first saw it, in an event or in a listing."""


@dataclass(frozen=True, slots=True)
class Outage:
    """The longest waits after a moment, in seconds."""

    sends: float
    """For an answer, its repetitions included."""
    subscribers: float
    """Until the last subscriber had it."""


class Journal:
    """Of all sends, by their numbers: 0, 1, 2, …"""

    def __init__(self, subscribers: Sequence[str]) -> None:
        self._subscribers = frozenset(subscribers)
        self._unsettled: dict[int, Send] = {}
        self.sends: list[Send] = []

    def begin(self, conversation_id: str) -> Send:
        """A send is about to be tried for the first time."""
        send = Send(len(self.sends), conversation_id, time.monotonic())
        self.sends.append(send)
        self._unsettled[send.number] = send
        return send

    def answered(self, send: Send, message_id: str) -> None:
        """It has succeeded."""
        send.answered = time.monotonic()
        send.message_id = message_id
        self._settle(send)

    def known(self, subscriber: str, number: int) -> None:
        """A subscriber has it, perhaps not for the first time."""
        send = self.sends[number]
        send.known.setdefault(subscriber, time.monotonic())
        self._settle(send)

    async def settled(self, before: float) -> None:
        """Wait until all sends are settled that were begun before a moment."""
        while any(send.begun < before for send in self._unsettled.values()):
            await asyncio.sleep(0.02)

    def unsettled(self) -> Iterable[Send]:
        """Those that somebody still waits for."""
        return self._unsettled.values()

    def outage(self, first: int, since: float) -> Outage:
        """The waits of settled sends from a number on, not counting what they had waited before a moment."""
        sends = [send for send in self.sends[first:] if send.number not in self._unsettled]
        return Outage(
            max((send.answered - max(send.begun, since) for send in sends if send.answered), default=0.0),
            max((max(send.known.values()) - max(send.begun, since) for send in sends), default=0.0),
        )

    def oldest_unsettled(self) -> int:
        """Its number, or that of the next send."""
        return min(self._unsettled, default=len(self.sends))

    def _settle(self, send: Send) -> None:
        if send.answered is not None and len(send.known) == len(self._subscribers):
            self._unsettled.pop(send.number, None)
