"""Between messages of the contract and domain values."""

from google.protobuf.timestamp_pb2 import Timestamp as ProtobufTimestamp

from chat4all.identity.v1 import identity_service_pb2 as identity_pb
from chat4all.messaging.v1 import conversation_pb2 as conversation_pb
from chat4all.messaging.v1 import message_pb2 as message_pb
from chat4all.messaging.v1 import messaging_service_pb2 as messaging_pb
from chat4all_core.app.link_identity import CodeSent
from chat4all_core.app.message_view import MessageView
from chat4all_core.app.read_conversations import ConversationView
from chat4all_core.app.read_messages import MessageDetails
from chat4all_core.app.send_message import NewMessage
from chat4all_core.domain.conversation import ConversationType, Role
from chat4all_core.domain.delivery import DeliveryFailure
from chat4all_core.domain.errors import invalid_field
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.message import AcceptedMessage
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.domain.user import User
from chat4all_core.ports.identity_store import Identity


def timestamp_to_proto(at: Timestamp) -> ProtobufTimestamp:
    """The same point in time."""
    seconds, microseconds = divmod(at, SECOND)
    return ProtobufTimestamp(seconds=seconds, nanos=microseconds * 1_000)


def user_to_proto(user: User, *, with_email: bool) -> identity_pb.User:
    """An account; its e-mail address is for its owner only."""
    return identity_pb.User(
        user_id=user.user_id,
        username=user.username,
        email=user.email if with_email else "",
        create_time=timestamp_to_proto(user.created_at),
    )


def identity_to_proto(identity: Identity | CodeSent) -> identity_pb.Identity:
    """An address, linked or about to be."""
    address = identity.address
    result = identity_pb.Identity(channel=address.channel, address=address.address)
    match identity:
        case Identity():
            result.state = identity_pb.IdentityState.LINKED
            result.link_time.CopyFrom(timestamp_to_proto(identity.linked_at))
        case CodeSent():
            result.state = identity_pb.IdentityState.CODE_SENT
            result.code_expire_time.CopyFrom(timestamp_to_proto(identity.expires_at))
    return result


def conversation_to_proto(view: ConversationView) -> conversation_pb.Conversation:
    """A conversation with its participants."""
    result = listed_conversation_to_proto(view)
    for participation in view.conversation.participants:
        result.participants.add(participant=participation.participant, role=participation.role.value)
    return result


def listed_conversation_to_proto(view: ConversationView) -> conversation_pb.Conversation:
    """A conversation as it stands in lists: with its last message, without its participants."""
    conversation = view.conversation
    return conversation_pb.Conversation(
        conversation_id=conversation.conversation_id,
        type=conversation.type.value,  # type: ignore[arg-type]  # the values are those of the contract
        title=conversation.title,
        create_time=timestamp_to_proto(conversation.created_at),
        version=conversation.version,
        last_sequence=view.last_sequence,
        last_message=message_to_proto(view.last_message) if view.last_message else None,
        unread_count=view.unread_count,
    )


def message_to_proto(view: MessageView) -> message_pb.Message:
    """A message as it stands in lists."""
    accepted = view.stored.message
    return message_pb.Message(
        message_id=accepted.message_id,
        conversation_id=accepted.conversation_id,
        sequence=view.stored.sequence,
        sender=accepted.sender,
        text=accepted.text,
        create_time=timestamp_to_proto(accepted.accepted_at),
        state=view.state.value,  # type: ignore[arg-type]  # the values are those of the contract
        reply_to=accepted.reply_to or "",
        metadata=accepted.metadata,
        file=None if accepted.file is None else attachment_to_proto(accepted.file),
        recipient_count=view.recipient_count,
        delivered_count=view.delivered_count,
        read_count=view.read_count,
    )


def attachment_to_proto(file: Attachment) -> message_pb.AttachedFile:
    """A file that a message carries, without a link."""
    return message_pb.AttachedFile(
        file_id=file.file_id,
        filename=file.filename,
        size_bytes=file.size,
        mime_type=file.mime_type,
        sha256=file.sha256,
    )


def message_details_to_proto(details: MessageDetails) -> message_pb.Message:
    """A message with its recipients and its history."""
    result = message_to_proto(details.view)
    for way in details.recipients:
        result.recipients.add(
            participant=way.participant,
            channel=way.channel or "",
            state=way.state.value,
            failure=None if way.failure is None else failure_to_proto(way.failure),
        )
    for change in details.history:
        result.history.add(
            participant=change.participant,
            channel=change.channel or "",
            state=change.state.value,
            time=timestamp_to_proto(change.time),
        )
    return result


def failure_to_proto(failure: DeliveryFailure) -> message_pb.DeliveryFailure:
    """Why a delivery failed."""
    return message_pb.DeliveryFailure(code=failure.code, reason=failure.reason, remedy=failure.remedy)


def new_message_from_proto(request: messaging_pb.SendMessageRequest) -> NewMessage:
    """What a client asks to be sent."""
    return NewMessage(
        conversation_id=request.conversation_id,
        text=request.text,
        request_id=request.request_id,
        reply_to=request.reply_to,
        metadata=dict(request.metadata),
        file_id=request.file_id,
        channels=list(request.channels),
    )


def accepted_to_proto(message: AcceptedMessage) -> messaging_pb.SendMessageResponse:
    """The answer to a send that is durable."""
    return messaging_pb.SendMessageResponse(
        message_id=message.message_id,
        conversation_id=message.conversation_id,
        state=message_pb.DeliveryState.SENT,
        create_time=timestamp_to_proto(message.accepted_at),
    )


def conversation_type_from_proto(value: int) -> ConversationType:
    """The kind of a conversation.

    Raises:
        InvalidArgumentError: it is unspecified, or none that this release knows.
    """
    try:
        return ConversationType(value)
    except ValueError:
        raise invalid_field("type", "must be DIRECT or GROUP") from None


def role_from_proto(value: int) -> Role:
    """What a participant may do.

    Raises:
        InvalidArgumentError: it is unspecified, or none that this release knows.
    """
    try:
        return Role(value)
    except ValueError:
        raise invalid_field("role", "must be MEMBER or ADMIN") from None
