"""Events as Protobuf: `chat4all.events.v1` in the log, `chat4all.status.v1.Event` for subscribers.

Every message is encoded twice and decoded once on its way, so this is written for speed: times are split
by integer arithmetic, and sub-messages are filled in place.
"""

from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp as ProtobufTimestamp

from chat4all.events.v1 import events_pb2
from chat4all.messaging.v1 import message_pb2
from chat4all.status.v1 import event_pb2
from chat4all_core.adapters.protobuf import channel_values
from chat4all_core.domain.channel import AccountId, ChannelName
from chat4all_core.domain.delivery import Delivery, DeliveryEvidence, DeliveryId
from chat4all_core.domain.delivery_state import DeliveryState, Receipt
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.ids import ConversationId, FileId, MessageId, ParticipantId
from chat4all_core.domain.message import AcceptedMessage, StoredMessage
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.event_codec import ChannelReceived, MembershipChanged, Status, UndecodableError

__all__ = ["ProtobufEventCodec"]

_NANOS = 1_000  # in a microsecond

_TO_CONTRACT = {
    DeliveryState.DELIVERED: message_pb2.DeliveryState.DELIVERED,
    DeliveryState.READ: message_pb2.DeliveryState.READ,
}


class ProtobufEventCodec:
    """Implements `chat4all_core.ports.event_codec.EventCodec`.

    Metadata that is empty and metadata that is absent are the same on the wire: both decode as None.
    """

    def encode_accepted(self, message: AcceptedMessage) -> bytes:
        """A value of topic chat4all.message.accepted.v1."""
        value = events_pb2.MessageAccepted()
        value.message_id = message.message_id
        value.conversation_id = message.conversation_id
        value.sender = message.sender
        value.text = message.text
        _set_time(value.accept_time, message.accepted_at)
        value.membership_version = message.membership_version
        if message.reply_to:
            value.reply_to = message.reply_to
        if message.metadata:
            value.metadata.update(message.metadata)
        if message.file:
            _set_file(value.file, message.file)
        for route in message.routes:
            channel_values.set_route(value.routes.add(), route.recipient, route.to)
        return value.SerializeToString()

    def decode_accepted(self, value: bytes) -> AcceptedMessage:
        """The reverse of `encode_accepted`."""
        try:
            decoded = events_pb2.MessageAccepted.FromString(value)
        except DecodeError as error:
            raise UndecodableError(f"not a MessageAccepted: {error}") from error
        message_id, conversation_id, sender = decoded.message_id, decoded.conversation_id, decoded.sender
        # Bytes of another kind may parse, for Protobuf passes over what it does not know.
        if not (message_id and conversation_id and sender):
            raise UndecodableError("a MessageAccepted without message_id, conversation_id or sender")
        return AcceptedMessage(
            message_id=MessageId(message_id),
            conversation_id=ConversationId(conversation_id),
            sender=ParticipantId(sender),
            text=decoded.text,
            accepted_at=_time(decoded.accept_time),
            membership_version=decoded.membership_version,
            reply_to=MessageId(decoded.reply_to) if decoded.reply_to else None,
            metadata=dict(decoded.metadata) or None,
            file=_file(decoded.file) if decoded.HasField("file") else None,
            routes=channel_values.routes(decoded.routes) if decoded.routes else (),
        )

    def encode_status(self, status: Status) -> bytes:
        """A value of topic chat4all.status.updated.v1."""
        value = events_pb2.StatusUpdated(conversation_id=status.conversation_id)
        _set_time(value.time, status.time)
        match status:
            case Receipt():
                value.receipt.participant = status.participant
                value.receipt.sequence = status.sequence
                value.receipt.read = status.state is DeliveryState.READ
            case MembershipChanged():
                value.membership_changed.version = status.version
            case DeliveryEvidence():
                channel_values.set_evidence(value.delivery, status)
        return value.SerializeToString()

    def decode_status(self, value: bytes) -> Status:
        """The reverse of `encode_status`."""
        try:
            decoded = events_pb2.StatusUpdated.FromString(value)
        except DecodeError as error:
            raise UndecodableError(f"not a StatusUpdated: {error}") from error
        if not decoded.conversation_id:
            raise UndecodableError("a StatusUpdated without conversation_id")
        conversation_id, time = ConversationId(decoded.conversation_id), _time(decoded.time)
        match decoded.WhichOneof("evidence"):
            case "receipt":
                receipt = decoded.receipt
                state = DeliveryState.READ if receipt.read else DeliveryState.DELIVERED
                participant = ParticipantId(receipt.participant)
                return Receipt(conversation_id, participant, state, receipt.sequence, time)
            case "membership_changed":
                return MembershipChanged(conversation_id, decoded.membership_changed.version, time)
            case "delivery":
                return channel_values.evidence(conversation_id, time, decoded.delivery)
            case _:
                raise UndecodableError("a StatusUpdated with evidence that this release does not know")

    def encode_delivery(self, delivery: Delivery) -> bytes:
        """A value of topic chat4all.delivery.requested.{channel}.v1."""
        value = events_pb2.DeliveryRequested(
            delivery_id=delivery.delivery_id,
            conversation_id=delivery.conversation_id,
            message_id=delivery.message_id,
            sequence=delivery.sequence,
            sender=delivery.sender,
            text=delivery.text,
            reply_to=delivery.reply_to or "",
            attempt=delivery.attempt,
        )
        channel_values.set_route(value.route, delivery.recipient, delivery.to)
        _set_time(value.accept_time, delivery.accepted_at)
        if delivery.file:
            _set_file(value.file, delivery.file)
        return value.SerializeToString()

    def decode_delivery(self, value: bytes) -> Delivery:
        """The reverse of `encode_delivery`."""
        try:
            decoded = events_pb2.DeliveryRequested.FromString(value)
        except DecodeError as error:
            raise UndecodableError(f"not a DeliveryRequested: {error}") from error
        if not (decoded.delivery_id and decoded.route.channel and decoded.route.address):
            raise UndecodableError("a DeliveryRequested without delivery_id, channel or address")
        return Delivery(
            delivery_id=DeliveryId(decoded.delivery_id),
            conversation_id=ConversationId(decoded.conversation_id),
            message_id=MessageId(decoded.message_id),
            sequence=decoded.sequence,
            sender=ParticipantId(decoded.sender),
            recipient=ParticipantId(decoded.route.recipient),
            to=channel_values.address(decoded.route),
            text=decoded.text,
            accepted_at=_time(decoded.accept_time),
            file=_file(decoded.file) if decoded.HasField("file") else None,
            reply_to=MessageId(decoded.reply_to) if decoded.reply_to else None,
            attempt=decoded.attempt,
        )

    def encode_received(self, received: ChannelReceived) -> bytes:
        """A value of topic chat4all.channel.received.v1."""
        value = events_pb2.ChannelReceived(channel=received.channel, account=received.account, body=received.body)
        _set_time(value.time, received.time)
        return value.SerializeToString()

    def decode_received(self, value: bytes) -> ChannelReceived:
        """The reverse of `encode_received`."""
        try:
            decoded = events_pb2.ChannelReceived.FromString(value)
        except DecodeError as error:
            raise UndecodableError(f"not a ChannelReceived: {error}") from error
        if not decoded.channel:
            raise UndecodableError("a ChannelReceived without channel")
        return ChannelReceived(
            ChannelName(decoded.channel), AccountId(decoded.account), decoded.body, _time(decoded.time)
        )

    def message_created(self, event_id: str, message: StoredMessage, recipient_count: int) -> bytes:
        """An event for subscribers: the message in state SENT, at the time at which it was accepted."""
        accepted = message.message
        event = event_pb2.Event(event_id=event_id)
        _set_time(event.time, accepted.accepted_at)
        created = event.message_created.message
        created.message_id = accepted.message_id
        created.conversation_id = accepted.conversation_id
        created.sequence = message.sequence
        created.sender = accepted.sender
        created.text = accepted.text
        _set_time(created.create_time, accepted.accepted_at)
        created.state = message_pb2.DeliveryState.SENT
        created.recipient_count = recipient_count
        if accepted.reply_to:
            created.reply_to = accepted.reply_to
        if accepted.metadata:
            created.metadata.update(accepted.metadata)
        if accepted.file:
            _set_file(created.file, accepted.file)
        return event.SerializeToString()

    def status_changed(self, event_id: str, receipt: Receipt, message_id: MessageId) -> bytes:
        """An event for subscribers; `message_id` is that of the message at the receipt's sequence."""
        event = event_pb2.Event(event_id=event_id)
        _set_time(event.time, receipt.time)
        changed = event.status_changed
        changed.message_id = message_id
        changed.conversation_id = receipt.conversation_id
        changed.sequence = receipt.sequence
        changed.participant = receipt.participant
        changed.state = _TO_CONTRACT[receipt.state]
        _set_time(changed.time, receipt.time)
        return event.SerializeToString()

    def delivery_changed(self, event_id: str, evidence: DeliveryEvidence, state: DeliveryState) -> bytes:
        """An event for subscribers: evidence has taken a delivery to a state."""
        event = event_pb2.Event(event_id=event_id)
        _set_time(event.time, evidence.time)
        changed = event.status_changed
        changed.message_id = evidence.message_id
        changed.conversation_id = evidence.conversation_id
        changed.sequence = evidence.sequence
        changed.participant = evidence.recipient
        changed.channel = evidence.channel
        changed.state = state.value  # type: ignore[assignment]  # the values are those of the contract
        _set_time(changed.time, evidence.time)
        if state is DeliveryState.FAILED and evidence.failure:
            failure = evidence.failure
            changed.failure.code, changed.failure.reason, changed.failure.remedy = (
                failure.code,
                failure.reason,
                failure.remedy,
            )
        return event.SerializeToString()

    def conversation_changed(self, event_id: str, change: MembershipChanged) -> bytes:
        """An event for subscribers."""
        event = event_pb2.Event(event_id=event_id)
        _set_time(event.time, change.time)
        event.conversation_changed.conversation_id = change.conversation_id
        event.conversation_changed.version = change.version
        return event.SerializeToString()


def _set_time(field: ProtobufTimestamp, at: Timestamp) -> None:
    # divmod rounds down, so nanos are never negative, also before 1970: what Protobuf demands.
    field.seconds, micros = divmod(at, SECOND)
    field.nanos = micros * _NANOS


def _set_file(field: events_pb2.AttachedFile | message_pb2.AttachedFile, file: Attachment) -> None:
    field.file_id = file.file_id
    field.filename = file.filename
    field.size_bytes = file.size
    field.mime_type = file.mime_type
    field.sha256 = file.sha256


def _file(field: events_pb2.AttachedFile) -> Attachment:
    return Attachment(FileId(field.file_id), field.filename, field.size_bytes, field.mime_type, field.sha256)


def _time(field: ProtobufTimestamp) -> Timestamp:
    return Timestamp(field.seconds * SECOND + field.nanos // _NANOS)
