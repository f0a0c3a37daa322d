"""Frames as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat4all.status.v1 import event_pb2
from chat4all.status.v1 import status_service_pb2 as pb
from chat4all_core.app.subscribe import (
    CaughtUpFrame,
    EventFrame,
    Frame,
    GoingAwayFrame,
    GoingAwayReason,
    HeartbeatFrame,
    ResetFrame,
)
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_server.subscribe_frame import serialize_frame

POSITION = StreamPosition("0f", 7)
CURSOR = "0f.7"


@given(st.text(), st.text("abcdef", min_size=1, max_size=200))
def test_spliced_event_equals_protobuf(text: str, epoch: str) -> None:
    """An event's frame is byte for byte what Protobuf makes of it."""
    event = event_pb2.Event(event_id="e1")
    event.message_created.message.text = text * 50
    frame = EventFrame(StreamPosition(epoch, 7), event.SerializeToString())
    expected = pb.SubscribeResponse(cursor=f"{epoch}.7", event=event)
    assert serialize_frame(frame) == expected.SerializeToString(deterministic=True)


def test_empty_event() -> None:
    """An event without content is still an event."""
    assert (
        serialize_frame(EventFrame(POSITION, b""))
        == pb.SubscribeResponse(cursor=CURSOR, event=event_pb2.Event()).SerializeToString()
    )


@pytest.mark.parametrize(
    ("frame", "expected"),
    [
        (HeartbeatFrame(POSITION), pb.SubscribeResponse(heartbeat=pb.Heartbeat())),
        (CaughtUpFrame(POSITION), pb.SubscribeResponse(caught_up=pb.CaughtUp())),
        (ResetFrame(POSITION, True), pb.SubscribeResponse(reset=pb.Reset(reason=pb.Reset.EPOCH_CHANGED))),
        (ResetFrame(POSITION, False), pb.SubscribeResponse(reset=pb.Reset(reason=pb.Reset.CURSOR_TOO_OLD))),
    ],
)
def test_frames_without_payload(frame: Frame, expected: pb.SubscribeResponse) -> None:
    """Every kind of frame is what the contract calls it, with its cursor."""
    expected.cursor = CURSOR
    assert pb.SubscribeResponse.FromString(serialize_frame(frame)) == expected


@pytest.mark.parametrize("reason", GoingAwayReason)
def test_going_away_names_its_reason(reason: GoingAwayReason) -> None:
    """The reasons to end a stream have the same names in the domain and in the contract."""
    response = pb.SubscribeResponse.FromString(serialize_frame(GoingAwayFrame(POSITION, reason)))
    assert pb.GoingAway.Reason.Name(response.going_away.reason) == reason.name
