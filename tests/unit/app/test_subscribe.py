"""Following a stream that runs ahead of its reader."""

import asyncio
from contextlib import aclosing
from pathlib import Path

from stream_events import event, new_user

from chat4all_core.adapters.sqlite.engine import SqliteSettings, open_engine
from chat4all_core.adapters.sqlite.user_stream import UserStreamSettings
from chat4all_core.app.drain_signal import DrainSignal
from chat4all_core.app.subscribe import CaughtUpFrame, EventFrame, GoingAwayFrame, Subscribe, Subscription
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.clock import system_clock

NEVER = Timestamp(2**62)


async def test_a_reader_who_was_overrun_gets_the_rest_at_once(tmp_path: Path) -> None:
    """When more events come than the watch holds, all of them are given in order, without waiting for another event
    or for a heartbeat."""
    settings = SqliteSettings(user_stream=UserStreamSettings(watch_capacity=10))
    async with open_engine(tmp_path, system_clock, settings) as engine:
        user, drain = new_user(), DrainSignal()
        subscribe = Subscribe(
            streams=engine.streams,
            conversations=engine.conversations,
            clock=system_clock,
            drain=drain,
            heartbeat_seconds=3_600,
        )
        async with asyncio.timeout(30), aclosing(subscribe(Subscription(user, None, "", NEVER))) as frames:
            assert isinstance(await anext(frames), CaughtUpFrame)
            await engine.streams.append([event([user], offset) for offset in range(650)])
            given = [await anext(frames) for _ in range(650)]
            assert all(isinstance(frame, EventFrame) for frame in given)
            assert [frame.position.offset for frame in given] == list(range(1, 651))
            drain.set()
            while not isinstance(await anext(frames), GoingAwayFrame):
                pass
