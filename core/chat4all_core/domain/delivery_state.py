"""How far a message has come, per recipient and as a whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum

from chat4all_core.domain.ids import ConversationId, ParticipantId
from chat4all_core.domain.timestamp import Timestamp


class DeliveryState(IntEnum):
    """Values are those of the contract; compare by `rank`."""

    SENT = 1
    DELIVERED = 2
    READ = 3
    FAILED = 4
    UNKNOWN = 5


_RANK = {
    DeliveryState.FAILED: 0,
    DeliveryState.UNKNOWN: 1,
    DeliveryState.SENT: 2,
    DeliveryState.DELIVERED: 3,
    DeliveryState.READ: 4,
}


def lowest(states: Iterable[DeliveryState]) -> DeliveryState:
    """The state of a message as a whole: the lowest of its recipients'; SENT when it has none."""
    return min(states, key=_RANK.__getitem__, default=DeliveryState.SENT)


def highest(states: Iterable[DeliveryState]) -> DeliveryState:
    """The best of what is known of one recipient; SENT when nothing is."""
    return max(states, key=_RANK.__getitem__, default=DeliveryState.SENT)


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a participant has come in a conversation. Cursors only grow."""

    delivered_up_to: int = 0
    """Every message up to this sequence is with the participant's client. At least `read_up_to`."""
    read_up_to: int = 0
    """Every message up to this sequence was read."""
    sent_up_to: int = 0
    """A message that the participant sent, in the same span as their newest one (see sent_span): one who writes has
    seen what came before, so it counts for the number of unread messages, and for nothing else."""

    def state_of(self, sequence: int) -> DeliveryState:
        """What this participant has of the message at a sequence."""
        if sequence <= self.read_up_to:
            return DeliveryState.READ
        if sequence <= self.delivered_up_to:
            return DeliveryState.DELIVERED
        return DeliveryState.SENT

    def moved(self, state: DeliveryState, sequence: int) -> "Cursor":
        """The cursor after a receipt, DELIVERED or READ, up to a sequence."""
        read = max(self.read_up_to, sequence) if state is DeliveryState.READ else self.read_up_to
        return Cursor(max(self.delivered_up_to, sequence), read, self.sent_up_to)


NO_CURSOR = Cursor()
"""Of a participant of whom nothing is known yet."""

Cursors = Mapping[ParticipantId, Cursor]
"""Of one conversation. Participants of whom nothing is known are left out."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Evidence that a participant has (DELIVERED) or has read (READ) everything up to a sequence."""

    conversation_id: ConversationId
    participant: ParticipantId
    state: DeliveryState
    """DELIVERED or READ."""
    sequence: int
    time: Timestamp
    """When the server learned of it."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """A moment in the life of a message."""

    participant: ParticipantId
    state: DeliveryState
    time: Timestamp
    channel: str | None = None
    """The name of the channel by which it came, or None within the platform."""
