"""A history of sends, and what is wrong with what became of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Sent:
    """A send that was acknowledged. Times are of one clock for all senders."""

    conversation_id: str
    message_id: str
    begun: float
    """Before its first attempt."""
    answered: float
    """After the attempt that succeeded."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A message in a listing, or in an event of a subscription."""

    conversation_id: str
    sequence: int
    message_id: str
    event_id: str = ""


@dataclass(frozen=True, slots=True)
class Moved:
    """An event of a subscription: everything up to a sequence has reached a state for a participant."""

    conversation_id: str
    participant: str
    state: str
    sequence: int
    event_id: str


@dataclass(frozen=True, slots=True)
class Reloaded:
    """A subscription said RESET, and the subscriber then listed its conversations: up to which sequence each."""

    last: Mapping[str, int]


Seen: TypeAlias = "Stored | Moved | Reloaded"


@dataclass(slots=True)
class History:
    """What senders were told, what is stored, and what each subscriber saw, in order."""

    sent: list[Sent] = field(default_factory=list)
    stored: list[Stored] = field(default_factory=list)
    seen: dict[str, list[Seen]] = field(default_factory=dict)


def violations(history: History) -> list[str]:
    """Everything that breaks a promise, in words; empty when all of them were kept."""
    return [
        *_lost_or_repeated(history),
        *_gaps(history.stored),
        *_reordered(history),
        *(wrong for name, seen in history.seen.items() for wrong in _wrongly_seen(name, seen, history.stored)),
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
    for conversation_id, sequences in _sequences(messages).items():
        if sequences != list(range(1, len(sequences) + 1)):
            wrong.append(f"sequences of {conversation_id} are not 1..{len(sequences)}: {sequences}")
    return wrong


def _sequences(messages: Sequence[Stored]) -> Mapping[str, list[int]]:
    groups: dict[str, list[int]] = defaultdict(list)
    for message in messages:
        groups[message.conversation_id].append(message.sequence)
    return {conversation_id: sorted(sequences) for conversation_id, sequences in groups.items()}


def _reordered(history: History) -> list[str]:
    """Whatever was begun after another send was acknowledged comes after it, whoever sent them."""
    sequences = {message.message_id: message.sequence for message in history.stored}
    sends = [send for send in history.sent if send.message_id in sequences]
    wrong = []
    acknowledged = iter(sorted(sends, key=lambda send: send.answered))
    newest: dict[str, Sent] = {}
    """Of each conversation, the last one by sequence of those that were acknowledged."""
    next_one = next(acknowledged, None)
    for send in sorted(sends, key=lambda send: send.begun):
        while next_one is not None and next_one.answered < send.begun:
            before = newest.get(next_one.conversation_id)
            if before is None or sequences[before.message_id] < sequences[next_one.message_id]:
                newest[next_one.conversation_id] = next_one
            next_one = next(acknowledged, None)
        before = newest.get(send.conversation_id)
        if before is not None and sequences[before.message_id] >= sequences[send.message_id]:
            wrong.append(f"stored in another order than sent: {before} and {send}")
    return wrong


def _wrongly_seen(name: str, seen: Sequence[Seen], stored: Sequence[Stored]) -> Iterable[str]:
    places = {(m.conversation_id, m.sequence): m.message_id for m in stored}
    known: dict[str, int] = defaultdict(int)
    """The last sequence of each conversation that was seen or listed."""
    expected: dict[str, int] = {}
    reached: dict[tuple[str, str, str], int] = defaultdict(int)
    events: set[str] = set()
    for one in seen:
        match one:
            case Reloaded(last):
                yield from (
                    f"{name}: {c} listed up to {last.get(c)}, seen up to {n}"
                    for c, n in known.items()
                    if last.get(c, 0) < n
                )
                known.update(last)
                # What comes now may have been listed, or seen in the stream that was lost; but it has no gap.
                expected.clear()
                reached.clear()
                events.clear()
            case Moved(conversation_id, participant, state, sequence, event_id):
                place = (conversation_id, participant, state)
                if sequence <= reached[place] or event_id in events:
                    yield f"{name}: after {state} up to {reached[place]}: {one}"
                reached[place] = sequence
                events.add(event_id)
            case Stored(conversation_id, sequence, message_id, event_id):
                if places.get((conversation_id, sequence)) != message_id:
                    yield f"{name}: seen otherwise than stored: {one}"
                follows = sequence == expected.get(conversation_id, min(sequence, known[conversation_id] + 1))
                if not follows or event_id in events:
                    yield f"{name}: seen after sequence {expected.get(conversation_id, known[conversation_id])}: {one}"
                expected[conversation_id] = sequence + 1
                known[conversation_id] = max(known[conversation_id], sequence)
                events.add(event_id)
    for conversation_id, sequences in _sequences(stored).items():
        if known[conversation_id] < sequences[-1]:
            yield f"{name}: {conversation_id} seen up to {known[conversation_id]}, stored up to {sequences[-1]}"
