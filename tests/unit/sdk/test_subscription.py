"""Subscriptions: every event once, through whatever happens to the connection."""

import asyncio
from dataclasses import replace

import grpc
import pytest

from chat4all.status.v1 import event_pb2 as event_pb
from chat4all.status.v1 import status_service_pb2 as pb
from chat4all_sdk import (
    AsyncClient,
    ConversationChanged,
    Event,
    InvalidArgument,
    LoginRequired,
    MessageCreated,
    MessageState,
    PermissionDenied,
    Reset,
    StatusChanged,
)

from .memory_platform.refusal import Refusal, connection_lost, unavailable
from .memory_platform.server import MemoryPlatform
from .reading import caught_up, texts


async def test_events_are_typed(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """Messages, states and changes of conversations come as their own types, each with a cursor."""
    user = (await alice.me()).user_id
    async with alice.subscribe() as events:
        start = await caught_up(events)
        sent = await alice.send(direct, "hello")
        changed = event_pb.StatusChanged(
            message_id=sent.message_id, conversation_id=direct, sequence=1, participant="bob", state=3
        )
        platform.state.publish(user, event_pb.Event(status_changed=changed))
        made = event_pb.ConversationChanged(conversation_id=direct, version=1)
        platform.state.publish(user, event_pb.Event(conversation_changed=made))
        platform.state.publish(user, event_pb.Event())  # of a kind that is not known yet
        await alice.send(direct, "bye")
        got: list[Event] = [await anext(events) for _ in range(4)]
    assert [type(event) for event in got] == [
        MessageCreated,
        StatusChanged,
        ConversationChanged,
        MessageCreated,
    ]
    assert isinstance(got[1], StatusChanged)
    assert got[1].state is MessageState.READ
    assert [int(event.cursor) - int(start.cursor) for event in got] == [1, 2, 3, 5]


async def test_resumes_after_a_crash(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """After the server was killed and came back every event comes once, in order, none is missing."""
    async with alice.subscribe() as events:
        await caught_up(events)
        await alice.send(direct, "1")
        await alice.send(direct, "2")
        assert await texts(events, 2) == ["1", "2"]
        await platform.kill()
        await platform.start()
        sending = asyncio.create_task(alice.send(direct, "3"))
        assert await texts(events, 1) == ["3"]
        await sending
        await alice.send(direct, "4")
        assert await texts(events, 1) == ["4"]
    assert [r.cursor for r in platform.state.requests("Subscribe")] == ["", "2"]


async def test_resumes_before_the_application_has_taken_all(
    platform: MemoryPlatform, alice: AsyncClient, direct: str
) -> None:
    """Events that were received but not yet asked for survive a crash, and are not given twice."""
    async with alice.subscribe() as events:
        await caught_up(events)
        for number in range(10):
            await alice.send(direct, str(number))
        assert await texts(events, 1) == ["0"]
        await platform.kill()
        await platform.start()
        assert await texts(events, 9) == list("123456789")
        await alice.send(direct, "end")
        assert await texts(events, 1) == ["end"]


@pytest.mark.parametrize("reason", [pb.GoingAway.DRAINING, pb.GoingAway.SLOW_READER, pb.GoingAway.INTERNAL])
async def test_resumes_after_going_away(
    platform: MemoryPlatform, alice: AsyncClient, direct: str, reason: pb.GoingAway.Reason.ValueType
) -> None:
    """An announced end is followed by a new stream from the last cursor."""
    async with alice.subscribe() as events:
        await caught_up(events)
        await alice.send(direct, "1")
        assert await texts(events, 1) == ["1"]
        await platform.going_away(reason)
        await alice.send(direct, "2")
        assert await texts(events, 1) == ["2"]
    assert [r.cursor for r in platform.state.requests("Subscribe")] == ["", "1"]


async def test_resumes_after_token_expiry(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """When the token expires during a subscription it is renewed once, and no event is missed."""
    async with alice.subscribe() as events:
        await caught_up(events)
        platform.state.expire_tokens()
        await platform.going_away(pb.GoingAway.TOKEN_EXPIRED)
        await alice.send(direct, "1")
        assert await texts(events, 1) == ["1"]
    assert len(platform.state.requests("RefreshToken")) == 1


async def test_starts_with_an_expired_token(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """A subscription whose token is refused at its start renews it."""
    platform.state.expire_tokens()
    async with alice.subscribe() as events:
        await caught_up(events)
    assert len(platform.state.requests("RefreshToken")) == 1


@pytest.mark.parametrize(
    "loss", [connection_lost(), unavailable(), Refusal(grpc.StatusCode.INTERNAL, reason="INTERNAL_ERROR")]
)
async def test_resumes_after_errors(platform: MemoryPlatform, alice: AsyncClient, direct: str, loss: Refusal) -> None:
    """A stream that breaks with an error another attempt may cure is resumed."""
    async with alice.subscribe() as events:
        await caught_up(events)
        await platform.status.order(loss)
        await alice.send(direct, "1")
        assert await texts(events, 1) == ["1"]


async def test_heartbeats_move_the_cursor(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A heartbeat is not an event, but its cursor is where a new stream goes on."""
    other = (await alice.create_group("other")).conversation_id
    async with alice.subscribe(conversation_id=direct) as events:
        await caught_up(events)
        await alice.send(other, "left out")
        await platform.status.order(pb.SubscribeResponse(heartbeat=pb.Heartbeat()))
        await platform.going_away(pb.GoingAway.DRAINING)
        await alice.send(direct, "1")
        assert await texts(events, 1) == ["1"]
    assert platform.state.requests("Subscribe")[1].cursor == "1"


async def test_silent_stream_is_replaced(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A stream on which no frame comes for longer than the limit is taken for dead and made anew."""
    platform.status.muted = True
    async with alice.subscribe(silence=0.2) as events:
        await platform.state.wait_until(lambda: len(platform.state.requests("Subscribe")) >= 2)
        platform.status.muted = False
        await caught_up(events)


async def test_reset_is_passed_on(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A cursor that can't be resumed gives Reset, then CaughtUp again, then what is new."""
    async with alice.subscribe("-1") as events:
        assert isinstance(await anext(events), Reset)
        await caught_up(events)
        await alice.send(direct, "new")
        assert await texts(events, 1) == ["new"]


async def test_refusals_are_raised(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """An error that another attempt can't cure is raised by the iteration, which then is over."""
    invalid = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "not a cursor", "CURSOR_INVALID")
    async with alice.subscribe() as events:
        await caught_up(events)
        await platform.status.order(invalid)
        with pytest.raises(InvalidArgument, match="CURSOR_INVALID"):
            await anext(events)
        with pytest.raises(StopAsyncIteration):
            await anext(events)
    assert len(platform.state.requests("Subscribe")) == 1


async def test_leaving_the_conversation_ends_its_subscription(
    platform: MemoryPlatform, alice: AsyncClient, direct: str
) -> None:
    """A subscription to a conversation that the caller left raises PermissionDenied."""
    async with alice.subscribe(conversation_id=direct) as events:
        await caught_up(events)
        await platform.going_away(pb.GoingAway.NOT_A_PARTICIPANT)
        with pytest.raises(PermissionDenied) as denied:
            await anext(events)
    assert denied.value.metadata == {"conversation_id": direct}


async def test_lost_session_is_raised(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """A session that can't be renewed ends the subscription with LoginRequired, not with a loop."""
    async with alice.subscribe() as events:
        await caught_up(events)
        platform.state.refresh.clear()
        platform.state.expire_tokens()
        await platform.going_away(pb.GoingAway.TOKEN_EXPIRED)
        with pytest.raises(LoginRequired):
            await anext(events)


async def test_closing_ends_a_waiting_iteration(alice: AsyncClient) -> None:
    """An iteration that waits in another task ends without an error when the subscription is closed."""
    events = alice.subscribe()
    await caught_up(events)

    async def rest() -> list[Event]:
        return [event async for event in events]

    waiting = asyncio.create_task(rest())
    await asyncio.sleep(0)
    await events.aclose()
    assert await asyncio.wait_for(waiting, 10) == []


async def test_timeouts_lose_nothing(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """Waiting with a timeout that passes neither loses an event nor breaks the stream."""
    async with alice.subscribe() as events:
        await caught_up(events)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(events), 0.05)
        await alice.send(direct, "1")
        assert await texts(events, 1) == ["1"]
    assert len(platform.state.requests("Subscribe")) == 1


async def test_closing_the_client_ends_its_subscriptions(platform: MemoryPlatform, alice: AsyncClient) -> None:
    """A subscription that was left open ends with its client."""
    client = await AsyncClient(platform.target, session=replace(alice.session)).open()
    events = client.subscribe()
    await caught_up(events)
    await client.close()
    with pytest.raises(StopAsyncIteration):
        await anext(events)
