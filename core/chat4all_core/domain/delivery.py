"""Deliveries: a message on its way to one address of a channel, and what becomes of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NewType

from chat4all_core.domain.channel import ChannelAddress, ChannelName, ProviderId
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId, name_based_uuid
from chat4all_core.domain.timestamp import Timestamp

DeliveryId = NewType("DeliveryId", str)
"""A UUID made of the message, the participant and the address, so that asking again asks for the same delivery."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message that is to reach an address."""

    delivery_id: DeliveryId
    conversation_id: ConversationId
    message_id: MessageId
    sequence: int
    """0: it is no message of a conversation, and no evidence of it is wanted."""
    sender: ParticipantId
    recipient: ParticipantId
    """Whom it is for: a user who is reached at `to`, or `to` itself where the address takes part on its own."""
    to: ChannelAddress
    text: str
    accepted_at: Timestamp
    file: Attachment | None = None
    reply_to: MessageId | None = None
    attempt: int = 1
    """Raised by an operator who has it tried again."""


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """Why a delivery failed, for people."""

    code: str
    """The channel's own, or one of ours in capitals."""
    reason: str
    remedy: str
    """What helps."""


@dataclass(frozen=True, slots=True)
class DeliveryEvidence:
    """Something that is known of a delivery. The same evidence may be given any number of times, in any order."""

    conversation_id: ConversationId
    message_id: MessageId
    sequence: int
    recipient: ParticipantId
    channel: ChannelName
    state: DeliveryState
    """SENT: the channel has taken it."""
    time: Timestamp
    attempt: int = 1
    failure: DeliveryFailure | None = None
    """Of FAILED."""
    provider_id: ProviderId | None = None


def delivery_id_for(message: MessageId, recipient: ParticipantId, to: ChannelAddress) -> DeliveryId:
    """The id of a delivery."""
    return DeliveryId(name_based_uuid("delivery", message, recipient, to.channel, to.address))


_STRENGTH = {
    DeliveryState.UNKNOWN: 1,
    DeliveryState.SENT: 2,
    DeliveryState.FAILED: 3,
    DeliveryState.DELIVERED: 4,
    DeliveryState.READ: 5,
}


def resolve(known: Iterable[tuple[int, DeliveryState]]) -> DeliveryState:
    """The state of a delivery, from all that is known of it: (attempt, state) each. The newest attempt counts, but
    what has been DELIVERED or READ stays so. Growing what is known never takes a state back, but that FAILED yields to
    a real DELIVERED or READ, or to a new attempt, and UNKNOWN to anything that is known."""
    best = (0, 0)
    result = DeliveryState.SENT
    for attempt, state in known:
        real = state in (DeliveryState.DELIVERED, DeliveryState.READ)
        strength = (1 << 31 if real else attempt, _STRENGTH[state])
        if strength > best:
            best, result = strength, state
    return result
