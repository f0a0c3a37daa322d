"""The Protobuf codec of events."""

import string
from dataclasses import replace

import pytest
from google.protobuf.timestamp_pb2 import Timestamp as ProtobufTimestamp
from hypothesis import given
from hypothesis import strategies as st

from chat4all.events.v1 import events_pb2
from chat4all.messaging.v1 import message_pb2
from chat4all.status.v1 import event_pb2
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.domain.delivery_state import DeliveryState, Receipt
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId
from chat4all_core.domain.message import AcceptedMessage, StoredMessage
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp, to_datetime
from chat4all_core.ports.event_codec import EventCodec, MembershipChanged, UndecodableError

codec: EventCodec = ProtobufEventCodec()

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
IDS = st.text(string.ascii_letters + string.digits + "-", min_size=1, max_size=36)
# What google.protobuf.Timestamp can hold: the years 1 to 9999.
TIMES = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)
INT64 = st.integers(-(2**63), 2**63 - 1)
SEQUENCES = st.integers(0, 2**63 - 1)

MESSAGES = st.builds(
    AcceptedMessage,
    message_id=IDS,
    conversation_id=IDS,
    sender=IDS,
    text=TEXTS,
    accepted_at=TIMES,
    membership_version=INT64,
    reply_to=st.none() | IDS,
    metadata=st.none() | st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=16),
    file=st.none() | st.builds(Attachment, IDS, TEXTS, SEQUENCES, TEXTS, TEXTS),
)
RECEIPTS = st.builds(
    Receipt,
    conversation_id=IDS,
    participant=IDS,
    state=st.sampled_from([DeliveryState.DELIVERED, DeliveryState.READ]),
    sequence=SEQUENCES,
    time=TIMES,
)
CHANGES = st.builds(MembershipChanged, conversation_id=IDS, version=INT64, time=TIMES)


@given(MESSAGES)
def test_accepted_message_survives_the_log(message: AcceptedMessage) -> None:
    """An accepted message is the same after it was written to the log and read from it."""
    assert codec.decode_accepted(codec.encode_accepted(message)) == message


@given(MESSAGES)
def test_empty_metadata_is_absent(message: AcceptedMessage) -> None:
    """A message with empty metadata is written as one without."""
    assert codec.encode_accepted(_with_metadata(message, {})) == codec.encode_accepted(_with_metadata(message, None))


@given(RECEIPTS | CHANGES)
def test_status_survives_the_log(status: Receipt | MembershipChanged) -> None:
    """A receipt or a change of members is the same after it was written to the log and read from it."""
    assert codec.decode_status(codec.encode_status(status)) == status


@given(MESSAGES, SEQUENCES, IDS, st.integers(0, 2**31 - 1))
def test_message_created_tells_everything(
    message: AcceptedMessage, sequence: int, event_id: str, recipients: int
) -> None:
    """A subscriber is given the whole message, in state SENT, at its sequence."""
    stored = StoredMessage(message, sequence, Source(1, 2, 3))
    event = event_pb2.Event.FromString(codec.message_created(event_id, stored, recipients))

    expected = message_pb2.Message(
        message_id=message.message_id,
        conversation_id=message.conversation_id,
        sequence=sequence,
        sender=message.sender,
        text=message.text,
        create_time=_time(message.accepted_at),
        state=message_pb2.DeliveryState.SENT,
        reply_to=message.reply_to or "",
        metadata=message.metadata or {},
        recipient_count=recipients,
    )
    if message.file:
        expected.file.CopyFrom(
            message_pb2.AttachedFile(
                file_id=message.file.file_id,
                filename=message.file.filename,
                size_bytes=message.file.size,
                mime_type=message.file.mime_type,
                sha256=message.file.sha256,
            )
        )
    assert event == event_pb2.Event(
        event_id=event_id,
        time=_time(message.accepted_at),
        message_created=event_pb2.MessageCreated(message=expected),
    )


@given(RECEIPTS, IDS, IDS)
def test_status_changed_tells_everything(receipt: Receipt, event_id: str, message_id: str) -> None:
    """A subscriber is told whose state it is, which, since when and up to which message."""
    event = event_pb2.Event.FromString(codec.status_changed(event_id, receipt, MessageId(message_id)))

    assert event == event_pb2.Event(
        event_id=event_id,
        time=_time(receipt.time),
        status_changed=event_pb2.StatusChanged(
            message_id=message_id,
            conversation_id=receipt.conversation_id,
            sequence=receipt.sequence,
            participant=receipt.participant,
            state=message_pb2.DeliveryState.State.Value(receipt.state.name),
            time=_time(receipt.time),
        ),
    )


@given(CHANGES, IDS)
def test_conversation_changed_tells_everything(change: MembershipChanged, event_id: str) -> None:
    """A subscriber is told which version a conversation has reached."""
    event = event_pb2.Event.FromString(codec.conversation_changed(event_id, change))

    assert event == event_pb2.Event(
        event_id=event_id,
        time=_time(change.time),
        conversation_changed=event_pb2.ConversationChanged(
            conversation_id=change.conversation_id, version=change.version
        ),
    )


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_refused(value: bytes) -> None:
    """Whatever lies in the log, decoding gives a value or UndecodableError, and nothing else."""
    for decode in (codec.decode_accepted, codec.decode_status):
        try:
            decode(value)
        except UndecodableError:
            continue


@pytest.mark.parametrize("value", [b"", b"\xff", b"not protobuf"])
def test_foreign_bytes_are_refused(value: bytes) -> None:
    """Bytes that hold no event are refused by both decoders."""
    with pytest.raises(UndecodableError):
        codec.decode_accepted(value)
    with pytest.raises(UndecodableError):
        codec.decode_status(value)


def test_evidence_of_a_later_release_is_refused() -> None:
    """A status whose evidence this release does not know is refused rather than skipped."""
    known = events_pb2.StatusUpdated(conversation_id="c")
    unknown_field_15 = bytes([15 << 3 | 2, 0])
    with pytest.raises(UndecodableError, match="does not know"):
        codec.decode_status(known.SerializeToString() + unknown_field_15)


def test_finer_times_are_rounded_down() -> None:
    """A time with nanoseconds, which this release never writes, is read as the microsecond before it."""
    value = events_pb2.StatusUpdated(conversation_id="c", membership_changed=events_pb2.MembershipChanged(version=1))
    value.time.seconds, value.time.nanos = -1, 999_999_999
    assert codec.decode_status(value.SerializeToString()) == MembershipChanged(ConversationId("c"), 1, Timestamp(-1))


def test_a_receipt_of_another_state_is_a_mistake_of_the_caller() -> None:
    """There is no event for a receipt that is neither DELIVERED nor READ."""
    receipt = Receipt(ConversationId("c"), ParticipantId("p"), DeliveryState.FAILED, 1, Timestamp(0))
    with pytest.raises(KeyError):
        codec.status_changed("e", receipt, MessageId("m"))


def _time(at: Timestamp) -> ProtobufTimestamp:
    # Protobuf's own conversion, to check ours.
    converted = ProtobufTimestamp()
    converted.FromDatetime(to_datetime(at))
    return converted


def _with_metadata(message: AcceptedMessage, metadata: dict[str, str] | None) -> AcceptedMessage:
    return replace(message, metadata=metadata)
