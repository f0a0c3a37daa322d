"""UserStream: every event once, in order, or a clear answer that it is lost."""

import asyncio
import random

import pytest
from engine_under_test import DEADLINE, EngineUnderTest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stream_events import event, everything, new_user, payloads, start_of

from chat4all_core.domain.ids import UserId
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.user_stream import PositionLostError, StreamAppend, StreamEvent


async def test_offsets_count_the_events(engine: Engine) -> None:
    """The positions of a stream are 1, 2, 3, …, its head is the last, and an empty stream is at 0."""
    user = new_user()
    assert (await engine.streams.head(user)).offset == 0
    assert await everything(engine.streams, user) == []
    await engine.streams.append([event([user], n) for n in range(5)])
    await engine.streams.append([event([user], 5)])
    events = await everything(engine.streams, user)
    assert [e.position.offset for e in events] == [1, 2, 3, 4, 5, 6]
    assert events[-1].position == await engine.streams.head(user)
    assert [e.payload for e in events] == [event([], n).payload for n in range(6)]
    assert {e.conversation_id for e in events} == {"c"}


async def test_an_event_is_in_the_stream_of_each_of_its_users(engine: Engine) -> None:
    """Streams are counted for themselves, and somebody who is named twice gets an event once."""
    ann, bob, cem = new_user(), new_user(), new_user()
    await engine.streams.append([event([ann, bob], 1), event([bob, bob], 2), event([], 3), event([ann], 4)])
    assert await payloads(engine.streams, ann) == [event([], 1).payload, event([], 4).payload]
    assert await payloads(engine.streams, bob) == [event([], 1).payload, event([], 2).payload]
    assert await payloads(engine.streams, cem) == []


async def test_reading_goes_page_by_page(engine: Engine) -> None:
    """A page ends at its limit and the next one goes on without a gap."""
    user = new_user()
    await engine.streams.append([event([user], n) for n in range(10)])
    after, offsets = await start_of(engine.streams, user), []
    while page := await engine.streams.read(user, after, 4):
        assert len(page) <= 4
        offsets += [e.position.offset for e in page]
        after = page[-1].position
    assert offsets == list(range(1, 11))


async def test_appending_again_changes_nothing(under_test: EngineUnderTest) -> None:
    """Events that were taken are skipped in whole and in part, also after the engine was opened again, whatever
    else was appended in between."""
    user, other = new_user(), new_user()
    batch = [event([user], offset, index) for offset in range(4) for index in range(2)]
    async with under_test.open() as engine:
        await engine.streams.append(batch[:3])
        await engine.streams.append(batch[1:6])
        await engine.streams.append([event([new_user()], n) for n in range(5)])
        await engine.streams.append(batch)
    async with under_test.open() as engine:
        await engine.streams.append(batch)
        assert await payloads(engine.streams, user) == [e.payload for e in batch]
        # A stream that does not have an event takes it, though another has it.
        await engine.streams.append([event([user, other], 3, 1)])
        assert await payloads(engine.streams, other) == [batch[-1].payload]
        assert (await engine.streams.head(user)).offset == len(batch)


async def test_sources_are_told_apart(engine: Engine) -> None:
    """Roles, generations and partitions are remembered each for itself."""
    user = new_user()
    appends = [
        event([user], 9),
        event([user], 1, role="status"),
        event([user], 1, partition=1),
        event([user], 1, generation=2),
        event([user], 9, 1),
    ]
    await engine.streams.append(appends)
    await engine.streams.append(appends)
    assert await payloads(engine.streams, user) == [a.payload for a in appends]


async def test_what_was_appended_survives(under_test: EngineUnderTest) -> None:
    """Events keep their positions, epoch included, when an engine that lost nothing is opened again."""
    user = new_user()
    async with under_test.open() as engine:
        await engine.streams.append([event([user], n) for n in range(3)])
        before = await everything(engine.streams, user)
    async with under_test.open() as engine:
        assert await everything(engine.streams, user) == before
        await engine.streams.append([event([user], 3)])
        assert (await engine.streams.head(user)).offset == 4


async def test_places_that_are_no_more_are_told(engine: Engine, under_test: EngineUnderTest) -> None:
    """A trimmed place, one of another epoch and one beyond the head raise PositionLostError, each saying which."""
    user = new_user()
    count = under_test.max_events * 3 // 2
    for n in range(count):
        await engine.streams.append([event([user], n)])
    head = await engine.streams.head(user)
    assert head.offset == count
    for lost, epoch_changed in (
        (StreamPosition(head.epoch, 0), False),
        (StreamPosition(head.epoch, count + 1), False),
        (StreamPosition("another", head.offset), True),
    ):
        with pytest.raises(PositionLostError) as error:
            await engine.streams.read(user, lost, 10)
        assert error.value.epoch_changed == epoch_changed
    assert await engine.streams.read(user, head, 10) == []
    kept = await engine.streams.read(user, StreamPosition(head.epoch, count - under_test.max_events), count)
    assert [e.position.offset for e in kept] == list(range(count - under_test.max_events + 1, count + 1))


async def test_appends_at_once_lose_nothing(engine: Engine) -> None:
    """Many appends that run at the same time for the same users all arrive, each source's in its order."""
    users = [new_user() for _ in range(3)]

    async def append_all(partition: int) -> None:
        for n in range(8):
            await engine.streams.append([event(users, n, partition=partition)])

    await asyncio.gather(*(append_all(partition) for partition in range(5)))
    for user in users:
        read = await payloads(engine.streams, user)
        assert len(read) == 40
        for partition in range(5):
            mine = [event([], n, partition=partition).payload for n in range(8)]
            assert [p for p in read if p in mine] == mine


steps = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 3), st.integers(0, 1), st.sets(st.integers(0, 2), min_size=1)),
    min_size=1,
    max_size=25,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=steps, seed=st.integers(0, 1000))
async def test_streams_are_what_a_small_model_says(
    engine: Engine, steps: list[tuple[int, int, int, set[int]]], seed: int
) -> None:
    """Whatever is appended, in whatever batches: streams hold what is newer than the last of its partition, watches
    hear the same, and the highest announced sequences are unacknowledged."""
    rng = random.Random(seed)
    users = [new_user() for _ in range(3)]
    appends = [
        event([users[u] for u in sorted(who)], offset, index, partition=p, of=f"c{p}", sequence=offset)
        for p, offset, index, who in steps
    ]
    model: dict[UserId, list[StreamAppend]] = {user: [] for user in users}
    last: dict[tuple[UserId, int], tuple[int, int]] = {}
    for append in appends:
        for user in append.users:
            mark = (append.source.offset, append.index)
            if mark > last.get((user, append.source.partition), (-1, -1)):
                last[user, append.source.partition] = mark
                model[user].append(append)
    async with engine.streams.watch(users[0]) as watch:
        left = list(appends)
        while left:
            count = rng.randint(1, len(left))
            await engine.streams.append(left[:count])
            del left[:count]
        heard: list[StreamEvent] = []
        async with asyncio.timeout(DEADLINE):
            while len(heard) < len(model[users[0]]):
                heard += await watch.next(0.05)
        assert heard == await everything(engine.streams, users[0])
    for user, taken in model.items():
        assert await payloads(engine.streams, user) == [append.payload for append in taken]
        announced: dict[str, int] = {}
        for append in taken:
            if append.message_sequence:
                announced[append.conversation_id] = append.message_sequence
        assert await engine.streams.unacknowledged(user, await engine.streams.head(user)) == announced
