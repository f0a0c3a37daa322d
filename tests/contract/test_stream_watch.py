"""Watch: hearing of events as they are appended."""

import asyncio

from engine_under_test import DEADLINE, EngineUnderTest
from stream_events import event, everything, new_user, start_of

from chat4all_core.ports.engine import Engine
from chat4all_core.ports.user_stream import StreamEvent


async def test_a_watch_hears_of_every_event(engine: Engine) -> None:
    """Each watch of a user gets the events that are appended after it began, in order, and no others."""
    user, other = new_user(), new_user()
    await engine.streams.append([event([user], 0)])
    async with engine.streams.watch(user) as one, engine.streams.watch(user) as two:
        await engine.streams.append([event([user, other], 1), event([other], 2), event([user], 3)])
        await engine.streams.append([event([user], 3), event([user], 4)])
        for watch in (one, two):
            heard: list[StreamEvent] = []
            async with asyncio.timeout(DEADLINE):
                while len(heard) < 3:
                    heard += await watch.next(0.05)
            assert heard == (await everything(engine.streams, user))[1:]
            assert await watch.next(0) == []


async def test_a_watch_wakes(engine: Engine) -> None:
    """A `next` that waits ends when an event comes, and when `wake` is called; `wake` before `next` counts."""
    user = new_user()
    async with engine.streams.watch(user) as watch:
        waiting = asyncio.create_task(watch.next(2 * DEADLINE))
        await engine.streams.append([event([user], 0)])
        assert len(await asyncio.wait_for(waiting, DEADLINE)) == 1
        waiting = asyncio.create_task(watch.next(2 * DEADLINE))
        await asyncio.sleep(0)
        watch.wake()
        assert await asyncio.wait_for(waiting, DEADLINE) == []
        watch.wake()
        assert await asyncio.wait_for(watch.next(2 * DEADLINE), DEADLINE) == []


async def test_a_full_watch_shows_a_gap(engine: Engine, under_test: EngineUnderTest) -> None:
    """A reader who was busy for too long gets nothing or a gap, never a part that looks whole, and the stream has
    what is missing."""
    user = new_user()
    async with engine.streams.watch(user) as watch:
        position = await start_of(engine.streams, user)
        for n in range(under_test.watch_capacity + 10):
            await engine.streams.append([event([user], n)])
        heard: list[StreamEvent] = []
        async with asyncio.timeout(DEADLINE):
            while not heard or heard[-1].position != await engine.streams.head(user):
                heard += await watch.next(0.05)
        assert heard[0].position.offset > position.offset + 1
        offsets = [e.position.offset for e in heard]
        assert offsets == list(range(offsets[0], offsets[-1] + 1))
        missing = await engine.streams.read(user, position, offsets[0] - 1)
        assert [e.position.offset for e in missing] == list(range(1, offsets[0]))
