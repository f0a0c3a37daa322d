"""User streams that grow old, and caches that a rollback must empty."""

import asyncio
import sqlite3
from pathlib import Path

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.user_stream import SqliteUserStream, UserStreamSettings
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.domain.source import Source
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.user_stream import StreamAppend

ANN, BOB = UserId(ParticipantId("ann")), UserId(ParticipantId("bob"))


def event(offset: int, *users: UserId) -> StreamAppend:
    """An event of a message."""
    return StreamAppend("router", Source(1, 0, offset), 0, users, b"", ConversationId("c"), offset + 1)


async def test_old_events_are_dropped_with_what_they_hold(tmp_path: Path) -> None:
    """Events beyond the age go, from streams that are not appended to any more too, no payload of theirs is left,
    heads stay, and what was not acknowledged is still known."""
    time = 0
    database = await Database.open(tmp_path / "store.db", "store")
    streams = await SqliteUserStream.open(database, lambda: Timestamp(time), UserStreamSettings(max_age=10))
    for offset in range(6):
        time = offset
        await streams.append([event(offset, ANN, BOB) if offset < 3 else event(offset, ANN)])
    time = 14
    await streams.trim_expired()
    ann, bob = await streams.head(ANN), await streams.head(BOB)
    assert (ann.offset, bob.offset) == (6, 3)
    kept = await streams.read(ANN, StreamPosition(ann.epoch, 4), 10)
    assert [e.position.offset for e in kept] == [5, 6]
    assert await streams.read(BOB, bob, 10) == []
    assert await streams.unacknowledged(BOB, bob) == {"c": 3}
    count = await database.read(lambda c: c.execute("SELECT count(*) FROM stream_payloads").fetchone()[0])
    assert count == 2
    time = 100
    await streams.trim_expired()
    await streams.append([event(6, ANN, BOB)])
    assert ((await streams.head(ANN)).offset, (await streams.head(BOB)).offset) == (7, 4)
    assert len(await streams.read(ANN, ann, 10)) == 1
    await database.aclose()


async def test_a_failing_neighbour_takes_no_event_along(tmp_path: Path) -> None:
    """Appends that share their transaction with a job that fails are taken once and without a gap."""

    def fail(connection: sqlite3.Connection) -> None:
        raise ValueError("no")

    database = await Database.open(tmp_path / "store.db", "store")
    streams = await SqliteUserStream.open(database, lambda: Timestamp(0))
    async with streams.watch(ANN) as watch:
        await asyncio.gather(
            *(call for n in range(20) for call in (streams.append([event(n, ANN)]), database.write(fail))),
            return_exceptions=True,
        )
        heard = await watch.next(0)
    assert [e.position.offset for e in heard] == list(range(1, 21))
    assert await streams.read(ANN, StreamPosition(heard[0].position.epoch, 0), 100) == heard
    await database.aclose()
