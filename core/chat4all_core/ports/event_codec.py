"""How events are written as bytes: the log's values, and what subscribers are sent."""

from dataclasses import dataclass
from typing import Protocol

from chat4all_core.domain.channel import AccountId, ChannelName
from chat4all_core.domain.delivery import Delivery, DeliveryEvidence
from chat4all_core.domain.delivery_state import DeliveryState, Receipt
from chat4all_core.domain.ids import ConversationId, MessageId
from chat4all_core.domain.message import AcceptedMessage, StoredMessage
from chat4all_core.domain.timestamp import Timestamp


@dataclass(frozen=True, slots=True)
class MembershipChanged:
    """The participants of a conversation changed."""

    conversation_id: ConversationId
    version: int
    """After the change."""
    time: Timestamp


@dataclass(frozen=True, slots=True)
class ChannelReceived:
    """Something that came from a channel, whose origin is proven; it concerns one person."""

    channel: ChannelName
    account: AccountId
    body: bytes
    """In the channel's form."""
    time: Timestamp
    """When the server got it."""


Status = Receipt | MembershipChanged | DeliveryEvidence
"""What topic chat4all.status.updated.v1 holds."""


class UndecodableError(Exception):
    """Bytes that this release can't read."""


class EventCodec(Protocol):
    """Pure functions; `decode_…` raise UndecodableError."""

    def encode_accepted(self, message: AcceptedMessage) -> bytes:
        """A value of topic chat4all.message.accepted.v1."""
        ...

    def decode_accepted(self, value: bytes) -> AcceptedMessage:
        """The reverse."""
        ...

    def encode_status(self, status: Status) -> bytes:
        """A value of topic chat4all.status.updated.v1."""
        ...

    def decode_status(self, value: bytes) -> Status:
        """The reverse."""
        ...

    def encode_delivery(self, delivery: Delivery) -> bytes:
        """A value of topic chat4all.delivery.requested.{channel}.v1."""
        ...

    def decode_delivery(self, value: bytes) -> Delivery:
        """The reverse."""
        ...

    def encode_received(self, received: ChannelReceived) -> bytes:
        """A value of topic chat4all.channel.received.v1."""
        ...

    def decode_received(self, value: bytes) -> ChannelReceived:
        """The reverse."""
        ...

    def message_created(self, event_id: str, message: StoredMessage, recipient_count: int) -> bytes:
        """An event for subscribers."""
        ...

    def status_changed(self, event_id: str, receipt: Receipt, message_id: MessageId) -> bytes:
        """An event for subscribers; `message_id` is that of the message at the receipt's sequence."""
        ...

    def delivery_changed(self, event_id: str, evidence: DeliveryEvidence, state: DeliveryState) -> bytes:
        """An event for subscribers: evidence has taken a delivery to a state."""
        ...

    def conversation_changed(self, event_id: str, change: MembershipChanged) -> bytes:
        """An event for subscribers."""
        ...
