"""The only module that turns generated messages into the client's own values."""

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp

from chat4all.identity.v1 import identity_service_pb2 as identity_pb
from chat4all.messaging.v1 import conversation_pb2 as conversation_pb
from chat4all.messaging.v1 import message_pb2 as message_pb
from chat4all.messaging.v1 import messaging_service_pb2 as messaging_pb
from chat4all.status.v1 import event_pb2 as event_pb
from chat4all.status.v1 import status_service_pb2 as status_pb
from chat4all_sdk import events, models

__all__ = ["conversation", "event", "identity", "message", "reset", "role_number", "sent", "user", "utc_time"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# Numbers that are not in these tables belong to a later release: they read as UNSPECIFIED.
_STATES = {
    message_pb.DeliveryState.SENT: models.MessageState.SENT,
    message_pb.DeliveryState.DELIVERED: models.MessageState.DELIVERED,
    message_pb.DeliveryState.READ: models.MessageState.READ,
    message_pb.DeliveryState.FAILED: models.MessageState.FAILED,
    message_pb.DeliveryState.UNKNOWN: models.MessageState.UNKNOWN,
}
_TYPES = {
    conversation_pb.ConversationType.DIRECT: models.ConversationType.DIRECT,
    conversation_pb.ConversationType.GROUP: models.ConversationType.GROUP,
}
_ROLES = {
    conversation_pb.ParticipantRole.MEMBER: models.Role.MEMBER,
    conversation_pb.ParticipantRole.ADMIN: models.Role.ADMIN,
}
_ROLE_NUMBERS = {role: number for number, role in _ROLES.items()}
_IDENTITY_STATES = {
    identity_pb.IdentityState.CODE_SENT: models.IdentityState.CODE_SENT,
    identity_pb.IdentityState.LINKED: models.IdentityState.LINKED,
}
_RESETS = {
    status_pb.Reset.CURSOR_TOO_OLD: events.ResetReason.CURSOR_TOO_OLD,
    status_pb.Reset.EPOCH_CHANGED: events.ResetReason.EPOCH_CHANGED,
}


def user(pb: identity_pb.User) -> models.User:
    """An account."""
    return models.User(pb.user_id, pb.username, pb.email, utc_time(pb.create_time))


def identity(pb: identity_pb.Identity) -> models.Identity:
    """An address."""
    return models.Identity(
        channel=pb.channel,
        address=pb.address,
        state=_IDENTITY_STATES.get(pb.state, models.IdentityState.UNSPECIFIED),
        link_time=utc_time(pb.link_time) if pb.HasField("link_time") else None,
        code_expire_time=utc_time(pb.code_expire_time) if pb.HasField("code_expire_time") else None,
    )


def conversation(pb: conversation_pb.Conversation) -> models.Conversation:
    """A conversation."""
    return models.Conversation(
        conversation_id=pb.conversation_id,
        type=_TYPES.get(pb.type, models.ConversationType.UNSPECIFIED),
        title=pb.title,
        participants=tuple(_participant(p) for p in pb.participants),
        create_time=utc_time(pb.create_time),
        version=pb.version,
        last_sequence=pb.last_sequence,
        last_message=message(pb.last_message) if pb.HasField("last_message") else None,
        unread_count=pb.unread_count,
    )


def message(pb: message_pb.Message) -> models.Message:
    """A message."""
    return models.Message(
        message_id=pb.message_id,
        conversation_id=pb.conversation_id,
        sequence=pb.sequence,
        sender=pb.sender,
        text=pb.text,
        create_time=utc_time(pb.create_time),
        state=_state(pb.state),
        reply_to=pb.reply_to,
        metadata=dict(pb.metadata),
        recipient_count=pb.recipient_count,
        delivered_count=pb.delivered_count,
        read_count=pb.read_count,
        recipients=tuple(
            models.Recipient(r.participant, _state(r.state), r.channel, _failure(r)) for r in pb.recipients
        ),
        file=_attached_file(pb.file) if pb.HasField("file") else None,
        history=tuple(
            models.StateChange(h.participant, _state(h.state), utc_time(h.time), h.channel) for h in pb.history
        ),
    )


def sent(pb: messaging_pb.SendMessageResponse, request_id: str) -> models.SentMessage:
    """The receipt of a message."""
    return models.SentMessage(pb.message_id, pb.conversation_id, request_id, _state(pb.state), utc_time(pb.create_time))


def event(pb: event_pb.Event, cursor: str) -> events.Event | None:
    """An event of a user's stream; None for a kind that this release does not know."""
    kind = pb.WhichOneof("payload")
    time = utc_time(pb.time)
    if kind == "message_created":
        return events.MessageCreated(cursor, pb.event_id, time, message(pb.message_created.message))
    if kind == "status_changed":
        change = pb.status_changed
        return events.StatusChanged(
            cursor=cursor,
            event_id=pb.event_id,
            time=utc_time(change.time) if change.HasField("time") else time,
            message_id=change.message_id,
            conversation_id=change.conversation_id,
            sequence=change.sequence,
            participant=change.participant,
            state=_state(change.state),
            channel=change.channel,
            failure=_failure(change),
        )
    if kind == "conversation_changed":
        changed = pb.conversation_changed
        return events.ConversationChanged(cursor, pb.event_id, time, changed.conversation_id, changed.version)
    return None


def reset(pb: status_pb.Reset, cursor: str) -> events.Reset:
    """The news that events were missed."""
    return events.Reset(cursor, _RESETS.get(pb.reason, events.ResetReason.UNSPECIFIED))


def role_number(role: models.Role) -> conversation_pb.ParticipantRole.Role.ValueType:
    """The number of a role on the wire. Raises ValueError for UNSPECIFIED."""
    try:
        return _ROLE_NUMBERS[role]
    except KeyError:
        raise ValueError(f"not a role that can be set: {role}") from None


def utc_time(pb: Timestamp) -> datetime:
    """A moment."""
    # A third of the cost of Timestamp.ToDatetime, which is written in Python with range checks.
    return _EPOCH + timedelta(seconds=pb.seconds, microseconds=pb.nanos // 1000)


def _participant(pb: conversation_pb.Participant) -> models.Participant:
    return models.Participant(pb.participant, _ROLES.get(pb.role, models.Role.UNSPECIFIED))


def _failure(pb: message_pb.Recipient | event_pb.StatusChanged) -> models.DeliveryFailure | None:
    if not pb.HasField("failure"):
        return None
    return models.DeliveryFailure(pb.failure.code, pb.failure.reason, pb.failure.remedy)


def _attached_file(pb: message_pb.AttachedFile) -> models.AttachedFile:
    return models.AttachedFile(
        file_id=pb.file_id,
        filename=pb.filename,
        size_bytes=pb.size_bytes,
        mime_type=pb.mime_type,
        sha256=pb.sha256,
        download_url=pb.download_url,
    )


def _state(number: message_pb.DeliveryState.State.ValueType) -> models.MessageState:
    return _STATES.get(number, models.MessageState.UNSPECIFIED)
