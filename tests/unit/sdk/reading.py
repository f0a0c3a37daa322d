"""Reads a subscription as the tests like it."""

import asyncio

from chat4all_sdk import CaughtUp, MessageCreated, Subscription


async def texts(events: Subscription, count: int) -> list[str]:
    """The next messages' texts; any other event is an error."""
    got = [await asyncio.wait_for(anext(events), 10) for _ in range(count)]
    return [event.message.text for event in got if isinstance(event, MessageCreated)]


async def caught_up(events: Subscription) -> CaughtUp:
    """The first event of a fresh subscription."""
    event = await asyncio.wait_for(anext(events), 10)
    assert isinstance(event, CaughtUp)
    return event
