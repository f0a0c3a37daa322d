"""Acknowledgements: only for what the application has taken, and few of them."""

import asyncio

import grpc
import pytest

from chat4all_sdk import AsyncClient

from .memory_platform.refusal import Refusal
from .memory_platform.server import MemoryPlatform
from .reading import caught_up, texts


async def test_acknowledges_what_was_taken(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A message is acknowledged once the application asks for the next event, not before."""
    async with alice.subscribe() as events:
        await caught_up(events)
        await alice.send(direct, "1")
        await alice.send(direct, "2")
        assert await texts(events, 1) == ["1"]
        await alice.me()
        assert platform.state.requests("Acknowledge") == []
        assert await texts(events, 1) == ["2"]
        await platform.state.wait_until(lambda: platform.state.requests("Acknowledge"))
    assert [r.cursor for r in platform.state.requests("Acknowledge")] == ["1"]


async def test_acknowledgements_are_joined(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A burst of messages costs a few acknowledgements, and closing sends the last one."""
    for number in range(50):
        await alice.send(direct, str(number))
    async with alice.subscribe("0") as events:
        assert len(await texts(events, 50)) == 50
        await caught_up(events)
    cursors = [int(request.cursor) for request in platform.state.requests("Acknowledge")]
    assert cursors == sorted(cursors)
    assert cursors[-1] == 50
    assert len(cursors) < 25


async def test_filtered_subscriptions_acknowledge_their_conversation(
    platform: MemoryPlatform, alice: AsyncClient, direct: str
) -> None:
    """A subscription to one conversation acknowledges nothing of the others."""
    other = (await alice.create_group("other")).conversation_id
    async with alice.subscribe(conversation_id=direct) as events:
        await caught_up(events)
        await alice.send(other, "not seen")
        await alice.send(direct, "seen")
        assert await texts(events, 1) == ["seen"]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(events), 0.01)
    (request,) = platform.state.requests("Acknowledge")
    assert request.cursor == ""
    assert [(p.conversation_id, p.sequence) for p in request.positions] == [(direct, 1)]


async def test_acknowledging_can_be_left_to_the_application(
    platform: MemoryPlatform, alice: AsyncClient, direct: str
) -> None:
    """With acknowledge=False nothing is acknowledged but what the application acknowledges itself."""
    async with alice.subscribe(acknowledge=False) as events:
        await caught_up(events)
        await alice.send(direct, "1")
        event = await anext(events)
        await alice.acknowledge(event.cursor)
    assert [r.cursor for r in platform.state.requests("Acknowledge")] == ["1"]


async def test_a_refused_acknowledgement_does_not_end_the_subscription(
    platform: MemoryPlatform, alice: AsyncClient, direct: str
) -> None:
    """Messages go on coming when one could not be acknowledged."""
    platform.fail("Acknowledge", Refusal(grpc.StatusCode.INVALID_ARGUMENT, reason="CURSOR_INVALID"))
    async with alice.subscribe() as events:
        await caught_up(events)
        for number in range(3):
            await alice.send(direct, str(number))
        assert await texts(events, 3) == ["0", "1", "2"]
