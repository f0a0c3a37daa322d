"""A history of sends, and what is wrong with what became of them."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sent:
    """A send that was acknowledged."""

    sender: str
    conversation_id: str
    number: int
    """The sender's own count, in the order of their sends."""
    message_id: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in a listing, or in an event of a subscription."""

    conversation_id: str
    sequence: int
    message_id: str
    event_id: str = ""


@dataclass(slots=True)
class History:
    """What senders were told, what is stored, and what a subscriber saw."""

    sent: list[Sent] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    seen: list[Stored] = field(default_factory=list)


def violations(history: History) -> list[str]:
    """Everything that breaks a promise, in words; empty when all of them were kept."""
    return [
        *_lost_or_repeated(history),
        *_gaps(history.stored),
        *_reordered(history),
        *_wrongly_seen(history),
    ]


def _lost_or_repeated(history: History) -> list[str]:
    stored = Counter(message.message_id for message in history.stored)
    sent = {send.message_id for send in history.sent}
    wrong = [f"acknowledged, not stored: {s}" for s in history.sent if stored[s.message_id] == 0]
    wrong += [f"stored {count} times: {message_id}" for message_id, count in stored.items() if count > 1]
    wrong += [f"stored, never sent: {message_id}" for message_id in stored if message_id not in sent]
    return wrong


def _gaps(messages: Sequence[Stored]) -> list[str]:
    wrong = []
    for conversation_id, group in _by_conversation(messages).items():
        sequences = sorted(message.sequence for message in group)
        if sequences != list(range(1, len(sequences) + 1)):
            wrong.append(f"sequences of {conversation_id} are not 1..{len(sequences)}: {sequences}")
    return wrong


def _reordered(history: History) -> list[str]:
    sequences = {message.message_id: message.sequence for message in history.stored}
    wrong = []
    last: dict[tuple[str, str], Sent] = {}
    for send in sorted(history.sent, key=lambda s: s.number):
        before = last.get((send.sender, send.conversation_id))
        if before and sequences.get(before.message_id, 0) >= sequences.get(send.message_id, 1 << 62):
            wrong.append(f"stored in another order than sent: {before} and {send}")
        last[send.sender, send.conversation_id] = send
    return wrong


def _wrongly_seen(history: History) -> list[str]:
    events = Counter(event.event_id for event in history.seen)
    wrong = [f"seen {count} times: event {event_id}" for event_id, count in events.items() if count > 1]
    seen = {(e.conversation_id, e.sequence): e.message_id for e in history.seen}
    stored = {(m.conversation_id, m.sequence): m.message_id for m in history.stored}
    wrong += [f"stored, not seen: {place} {message}" for place, message in stored.items() if place not in seen]
    wrong += [f"seen otherwise than stored: {place}" for place, m in seen.items() if stored.get(place) != m]
    last: dict[str, int] = defaultdict(int)
    for event in history.seen:
        if event.sequence != last[event.conversation_id] + 1:
            wrong.append(f"seen after sequence {last[event.conversation_id]}: {event}")
        last[event.conversation_id] = event.sequence
    return wrong


def _by_conversation(messages: Sequence[Stored]) -> Mapping[str, list[Stored]]:
    groups: dict[str, list[Stored]] = defaultdict(list)
    for message in messages:
        groups[message.conversation_id].append(message)
    return groups
