"""Messages as a reader sees them: with their state."""

from collections.abc import Sequence
from dataclasses import dataclass

from chat4all_core.domain.conversation import Conversation
from chat4all_core.domain.delivery_state import NO_CURSOR, Cursor, Cursors, DeliveryState, lowest
from chat4all_core.domain.ids import ParticipantId
from chat4all_core.domain.message import StoredMessage


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message with its state as a whole."""

    stored: StoredMessage
    state: DeliveryState
    recipient_count: int
    delivered_count: int
    """Recipients whose client has it, those who read it included."""
    read_count: int


def recipient_states(
    conversation: Conversation, cursors: Cursors, stored: StoredMessage
) -> list[tuple[ParticipantId, DeliveryState]]:
    """What each recipient has of a message, ordered by id: recipients are the participants of its version without
    its sender."""
    return _states(_cursors_at(conversation, cursors, stored.message.membership_version), stored)


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
    at_version: dict[int, _ParticipantCursors] = {}
    result = []
    for stored in messages:
        version = stored.message.membership_version
        if version not in at_version:
            at_version[version] = _cursors_at(conversation, cursors, version)
        result.append(view(stored, [state for _, state in _states(at_version[version], stored)]))
    return result


_ParticipantCursors = Sequence[tuple[ParticipantId, Cursor]]


def _cursors_at(conversation: Conversation, cursors: Cursors, version: int) -> _ParticipantCursors:
    return [(p.participant, cursors.get(p.participant, NO_CURSOR)) for p in conversation.participants_at(version)]


def _states(participants: _ParticipantCursors, stored: StoredMessage) -> list[tuple[ParticipantId, DeliveryState]]:
    return [
        (participant, cursor.state_of(stored.sequence))
        for participant, cursor in participants
        if participant != stored.message.sender
    ]
