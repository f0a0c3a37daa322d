"""Messages as a reader sees them: with their state."""

from collections.abc import Sequence
from dataclasses import dataclass

from chat4all_core.domain.conversation import Conversation
from chat4all_core.domain.delivery_state import NO_CURSOR, Cursors, DeliveryState, lowest
from chat4all_core.domain.ids import ParticipantId
from chat4all_core.domain.message import AcceptedMessage, StoredMessage


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message with its state as a whole."""

    stored: StoredMessage
    state: DeliveryState
    recipient_count: int
    delivered_count: int
    """Recipients whose client has it, those who read it included."""
    read_count: int


def recipients_of(conversation: Conversation, message: AcceptedMessage) -> list[ParticipantId]:
    """Whom a message went to: the participants of its version without its sender."""
    return [
        p.participant
        for p in conversation.participants_at(message.membership_version)
        if p.participant != message.sender
    ]


def recipient_states(
    conversation: Conversation, cursors: Cursors, stored: StoredMessage
) -> list[tuple[ParticipantId, DeliveryState]]:
    """What each recipient has of a message, ordered by id."""
    return [
        (participant, cursors.get(participant, NO_CURSOR).state_of(stored.sequence))
        for participant in recipients_of(conversation, stored.message)
    ]


def view(stored: StoredMessage, states: Sequence[DeliveryState]) -> MessageView:
    """A message with its state, from its recipients' states."""
    read = states.count(DeliveryState.READ)
    return MessageView(
        stored=stored,
        state=lowest(states),
        recipient_count=len(states),
        delivered_count=read + states.count(DeliveryState.DELIVERED),
        read_count=read,
    )


def views(conversation: Conversation, cursors: Cursors, messages: Sequence[StoredMessage]) -> list[MessageView]:
    """Messages of one conversation with their states. It is the participants of a version that cost, so they
    are worked out once for each version."""
    participants: dict[int, list[tuple[ParticipantId, int, int]]] = {}
    result = []
    for stored in messages:
        version = stored.message.membership_version
        if version not in participants:
            participants[version] = [
                (p.participant, cursor.delivered_up_to, cursor.read_up_to)
                for p in conversation.participants_at(version)
                for cursor in (cursors.get(p.participant, NO_CURSOR),)
            ]
        states = [
            DeliveryState.READ
            if stored.sequence <= read
            else DeliveryState.DELIVERED
            if stored.sequence <= delivered
            else DeliveryState.SENT
            for participant, delivered, read in participants[version]
            if participant != stored.message.sender
        ]
        result.append(view(stored, states))
    return result
