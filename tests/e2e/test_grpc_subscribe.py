"""Subscriptions."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from engine_under_test import DEADLINE
from grpc_platform import GrpcPlatform, Person, open_grpc_platform
from rpc_shapes import reason_of

from chat4all.messaging.v1 import message_pb2
from chat4all.messaging.v1 import messaging_service_pb2 as messaging_pb
from chat4all.status.v1 import status_service_pb2 as pb

Subscription = grpc.aio.UnaryStreamCall[pb.SubscribeRequest, pb.SubscribeResponse]


@pytest.fixture
async def grpc_platform(tmp_path: Path) -> AsyncIterator[GrpcPlatform]:
    """A platform with a quick heart, for what a quiet subscription notices only then."""
    async with open_grpc_platform(tmp_path, CHAT4ALL_SUBSCRIBE_HEARTBEAT_SECONDS="0.1") as opened:
        yield opened


async def subscribe(grpc_platform: GrpcPlatform, person: Person, cursor: str = "", room: str = "") -> Subscription:
    """A subscription that has caught up, or that resumes."""
    request = pb.SubscribeRequest(cursor=cursor, conversation_id=room)
    call: Subscription = grpc_platform.status.Subscribe(request, metadata=person.metadata)
    if not cursor:
        await until(call, "caught_up")
    return call


async def until(call: Subscription, kind: str) -> pb.SubscribeResponse:
    """The next frame of a kind."""
    while True:
        frame = await call.read()
        assert isinstance(frame, pb.SubscribeResponse)
        if frame.WhichOneof("frame") == kind:
            return frame


async def next_message(call: Subscription) -> tuple[pb.SubscribeResponse, str]:
    """The next frame that brings a message, and its text."""
    while True:
        frame = await until(call, "event")
        if frame.event.HasField("message_created"):
            return frame, frame.event.message_created.message.text


async def texts(call: Subscription, count: int) -> list[str]:
    return [(await next_message(call))[1] for _ in range(count)]


async def refused(grpc_platform: GrpcPlatform, person: Person, request: pb.SubscribeRequest) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await grpc_platform.status.Subscribe(request, metadata=person.metadata).read()
    return reason_of(failed.value)


async def test_messages_arrive_in_order(grpc_platform: GrpcPlatform, ann: Person, ben: Person, room: str) -> None:
    """Every participant, the sender too, gets each message once and in order."""
    subscriptions = [await subscribe(grpc_platform, person) for person in (ann, ben, ben)]
    sent = [str(number) for number in range(10)]
    for text in sent:
        await grpc_platform.send(ann, room, text)
    for subscription in subscriptions:
        assert await texts(subscription, 10) == sent


async def test_new_conversations_are_announced(grpc_platform: GrpcPlatform, ann: Person, ben: Person) -> None:
    """Everyone in a new conversation hears of it, whoever made it."""
    subscriptions = [await subscribe(grpc_platform, person) for person in (ann, ben)]
    rooms = [await grpc_platform.group(ann, ben), await grpc_platform.group(ben, ann)]
    for subscription in subscriptions:
        events = [(await until(subscription, "event")).event.conversation_changed for _ in rooms]
        assert {(event.conversation_id, event.version) for event in events} == {(room, 1) for room in rooms}


async def test_resume(grpc_platform: GrpcPlatform, ann: Person, ben: Person, room: str) -> None:
    """A subscription that goes on from a cursor misses nothing and repeats nothing."""
    first = await subscribe(grpc_platform, ben)
    await grpc_platform.send(ann, room, "seen")
    frame, text = await next_message(first)
    first.cancel()
    assert text == "seen"
    for text in ("missed", "missed too"):
        await grpc_platform.send(ann, room, text)
    resumed = await subscribe(grpc_platform, ben, cursor=frame.cursor)
    assert await texts(resumed, 2) == ["missed", "missed too"]


async def test_slow_reader(grpc_platform: GrpcPlatform, ann: Person, ben: Person, room: str) -> None:
    """A subscriber that does not read for a while gets everything once it does."""
    subscription = await subscribe(grpc_platform, ben)
    sent = [f"{number:03}" + "x" * 10_000 for number in range(200)]
    for text in sent:
        await grpc_platform.send(ann, room, text)
    assert await texts(subscription, len(sent)) == sent


async def test_one_conversation(grpc_platform: GrpcPlatform, ann: Person, ben: Person, room: str) -> None:
    """A subscription to one conversation gives what happens there only."""
    other = await grpc_platform.group(ann, ben)
    subscription = await subscribe(grpc_platform, ben, room=room)
    await grpc_platform.send(ann, other, "elsewhere")
    await grpc_platform.send(ann, room, "here")
    assert await texts(subscription, 1) == ["here"]


@pytest.mark.parametrize("cursor", ["x", "0.0.0", "ff.-1", "ff.99999999999999999999", "a b.1"])
async def test_bad_cursor(grpc_platform: GrpcPlatform, ann: Person, cursor: str) -> None:
    """Text that is no cursor is refused, by Subscribe and by Acknowledge."""
    assert await refused(grpc_platform, ann, pb.SubscribeRequest(cursor=cursor)) == "CURSOR_INVALID"
    with pytest.raises(grpc.aio.AioRpcError) as failed:
        await grpc_platform.status.Acknowledge(pb.AcknowledgeRequest(cursor=cursor), metadata=ann.metadata)
    assert reason_of(failed.value) == "CURSOR_INVALID"


async def test_cursor_of_another_epoch(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A cursor from before the stream was rebuilt is answered with RESET, never with a gap."""
    call = await subscribe(grpc_platform, ann, cursor="another.7")
    frame = await until(call, "reset")
    assert frame.reset.reason == pb.Reset.EPOCH_CHANGED
    await until(call, "caught_up")


async def test_strangers_cannot_listen(grpc_platform: GrpcPlatform, room: str) -> None:
    """A conversation is followed by its participants only."""
    cid = await grpc_platform.person("cid")
    assert await refused(grpc_platform, cid, pb.SubscribeRequest(conversation_id=room)) == "NOT_A_PARTICIPANT"
    assert await refused(grpc_platform, cid, pb.SubscribeRequest(conversation_id="x")) == "CONVERSATION_NOT_FOUND"


async def test_acknowledging_tells_the_sender(grpc_platform: GrpcPlatform, ann: Person, ben: Person, room: str) -> None:
    """A message is DELIVERED once its recipient's client has acknowledged the cursor, and its sender hears of it."""
    sender, recipient = await subscribe(grpc_platform, ann), await subscribe(grpc_platform, ben)
    message_id = await grpc_platform.send(ann, room, "hello")
    frame, _ = await next_message(recipient)
    await grpc_platform.status.Acknowledge(pb.AcknowledgeRequest(cursor=frame.cursor), metadata=ben.metadata)
    while not (event := (await until(sender, "event")).event).HasField("status_changed"):
        pass
    changed = event.status_changed
    assert (changed.message_id, changed.participant) == (message_id, ben.user_id)
    assert changed.state == message_pb2.DeliveryState.DELIVERED


async def test_token_expires(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """A subscription ends with its token, and says so."""
    subscription = await subscribe(grpc_platform, ann)
    grpc_platform.clock.ahead = grpc_platform.security.issuer.lifetime + 1
    frame = await until(subscription, "going_away")
    assert frame.going_away.reason == pb.GoingAway.TOKEN_EXPIRED
    assert await subscription.read() is grpc.aio.EOF


async def test_leaving_ends_a_subscription(grpc_platform: GrpcPlatform, ann: Person, ben: Person, room: str) -> None:
    """Who was removed from a conversation no longer hears of it."""
    subscription = await subscribe(grpc_platform, ben, room=room)
    await grpc_platform.messaging.RemoveParticipant(
        messaging_pb.RemoveParticipantRequest(conversation_id=room, participant=ben.user_id), metadata=ann.metadata
    )
    frame = await until(subscription, "going_away")
    assert frame.going_away.reason == pb.GoingAway.NOT_A_PARTICIPANT


async def test_subscriptions_are_counted(grpc_platform: GrpcPlatform, ann: Person) -> None:
    """Open subscriptions are counted, and ended ones by the reason."""
    subscription = await subscribe(grpc_platform, ann)
    assert grpc_platform.registry.get_sample_value("chat4all_subscriptions_open") == 1
    subscription.cancel()
    ended = {"reason": "client_closed"}
    while grpc_platform.registry.get_sample_value("chat4all_subscriptions_ended_total", ended) != 1:
        await asyncio.sleep(0)
    assert grpc_platform.registry.get_sample_value("chat4all_subscriptions_open") == 0


async def test_a_quiet_conversation_is_heard_of_beside_a_busy_one(tmp_path: Path) -> None:
    """A subscription to one conversation gets heartbeats, whose cursors move on, while another never rests."""
    async with open_grpc_platform(tmp_path, CHAT4ALL_SUBSCRIBE_HEARTBEAT_SECONDS="1") as platform:
        ann, ben = await platform.person("ann"), await platform.person("ben")
        quiet, busy = await platform.group(ann, ben), await platform.group(ann, ben)
        call: Subscription = platform.status.Subscribe(
            pb.SubscribeRequest(conversation_id=quiet), metadata=ben.metadata
        )
        begin = (await until(call, "caught_up")).cursor

        async def never_rest() -> None:
            while True:
                await platform.send(ann, busy, "noise")

        noise = asyncio.create_task(never_rest())
        async with asyncio.timeout(DEADLINE):
            heartbeat = await until(call, "heartbeat")
        noise.cancel()
        assert heartbeat.cursor != begin
        call.cancel()
