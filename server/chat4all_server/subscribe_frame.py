"""Frames of a subscription as bytes of `chat4all.status.v1.SubscribeResponse`.

An event goes to many subscribers, so it is encoded once, by whoever appended it, and its bytes are spliced
into each subscriber's frame. The bytes are those that Protobuf would give.
"""

from chat4all.status.v1 import status_service_pb2 as pb
from chat4all_core.app.subscribe import (
    CaughtUpFrame,
    EventFrame,
    Frame,
    GoingAwayFrame,
    HeartbeatFrame,
    ResetFrame,
)
from chat4all_server.stream_cursor import encode_cursor

# https://protobuf.dev/programming-guides/encoding: field number << 3 | 2 (length-delimited)
_CURSOR_TAG = bytes([pb.SubscribeResponse.CURSOR_FIELD_NUMBER << 3 | 2])
_EVENT_TAG = bytes([pb.SubscribeResponse.EVENT_FIELD_NUMBER << 3 | 2])


def serialize_frame(frame: Frame) -> bytes:
    """The frame as a client reads it."""
    cursor = encode_cursor(frame.position)
    if isinstance(frame, EventFrame):
        encoded = cursor.encode()
        payload = frame.payload
        return b"".join((_CURSOR_TAG, _varint(len(encoded)), encoded, _EVENT_TAG, _varint(len(payload)), payload))
    return _response(cursor, frame).SerializeToString()


def _response(cursor: str, frame: HeartbeatFrame | CaughtUpFrame | ResetFrame | GoingAwayFrame) -> pb.SubscribeResponse:
    match frame:
        case HeartbeatFrame():
            return pb.SubscribeResponse(cursor=cursor, heartbeat=pb.Heartbeat())
        case CaughtUpFrame():
            return pb.SubscribeResponse(cursor=cursor, caught_up=pb.CaughtUp())
        case ResetFrame(epoch_changed=epoch_changed):
            reason = pb.Reset.EPOCH_CHANGED if epoch_changed else pb.Reset.CURSOR_TOO_OLD
            return pb.SubscribeResponse(cursor=cursor, reset=pb.Reset(reason=reason))
        case GoingAwayFrame(reason=why):
            going_away = pb.GoingAway(reason=why.value)  # type: ignore[arg-type]  # the same values
            return pb.SubscribeResponse(cursor=cursor, going_away=going_away)


def _varint(number: int) -> bytes:
    encoded = bytearray()
    while number > 0x7F:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)
