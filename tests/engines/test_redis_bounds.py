"""User streams on Redis that grow old or long: what goes, and what is still known of it."""

import os
import random
from collections import defaultdict

import pytest
from engine_endpoints import VARIABLE, engine_endpoints
from engine_under_test import eventually
from redis_platform import open_streams, section_for
from stream_events import event, new_user, start_of

from chat4all_core.adapters.redis.user_stream import UserStreamSettings
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_core.domain.timestamp import SECOND
from chat4all_core.ports.user_stream import PositionLostError, StreamAppend, UserStream

pytestmark = pytest.mark.skipif(
    not os.environ.get(VARIABLE) or "redis" not in engine_endpoints(), reason="needs Redis: see `make test-engines`"
)


async def has_lost(streams: UserStream, user: UserId, place: StreamPosition) -> bool:
    """Whether the events after a place are no longer kept."""
    try:
        await streams.read(user, place, 10)
    except PositionLostError as error:
        return not error.epoch_changed
    return False


async def test_old_events_go_by_themselves() -> None:
    """A stream to which nothing is appended any more loses its events, keeps its head and what was not acknowledged,
    and goes on where it was."""
    section = section_for(engine_endpoints()["redis"])
    async with open_streams(section, UserStreamSettings(max_age=SECOND // 5)) as streams:
        user = new_user()
        start = await start_of(streams, user)
        await streams.append([event([user], n, of="ab"[n % 2], sequence=n + 1) for n in range(6)])
        await eventually(lambda: has_lost(streams, user, start))
        head = await streams.head(user)
        assert head == StreamPosition(start.epoch, 6)
        assert await streams.unacknowledged(user, head) == {"a": 5, "b": 6}
        await streams.append([event([user], 6, of="a", sequence=7)])
        # What was announced before is still known one by one.
        assert await streams.unacknowledged(user, head) == {"a": 5, "b": 6}
        assert await streams.unacknowledged(user, StreamPosition(head.epoch, 7)) == {"a": 7, "b": 6}
        await streams.acknowledge(user, head)
        assert await streams.unacknowledged(user, StreamPosition(head.epoch, 7)) == {"a": 7}


async def test_old_events_go_while_others_come() -> None:
    """Of a stream that is always appended to, the events beyond the age go."""
    section = section_for(engine_endpoints()["redis"])
    async with open_streams(section, UserStreamSettings(max_age=SECOND // 5)) as streams:
        user = new_user()
        start = await start_of(streams, user)
        count = 0

        async def lost_after_another() -> bool:
            nonlocal count
            await streams.append([event([user], count)])
            count += 1
            return await has_lost(streams, user, start)

        await eventually(lost_after_another)
        head = await streams.head(user)
        assert head.offset == count
        assert len(await streams.read(user, StreamPosition(head.epoch, count - 1), 10)) == 1


@pytest.mark.parametrize("seed", range(20))
async def test_unacknowledged_is_exact(seed: int) -> None:
    """Whatever was appended, trimmed and acknowledged: for each place whose events are kept, exactly the highest
    sequence of each conversation is unacknowledged, and for one that was trimmed never more than that."""
    rng = random.Random(seed)
    user, acknowledged = new_user(), 0
    taken: list[StreamAppend] = []
    sequences: dict[str, int] = defaultdict(int)

    def expected(up_to: int) -> dict[str, int]:
        return {a.conversation_id: a.message_sequence for a in taken[acknowledged:up_to] if a.message_sequence}

    def next_event() -> StreamAppend:
        of, announces = rng.choice("abcde"), rng.random() < 0.8
        sequences[of] += announces
        return event([user], len(taken), of=of, sequence=sequences[of] if announces else 0)

    async with open_streams(
        section_for(engine_endpoints()["redis"]), UserStreamSettings(max_events=rng.choice([5, 20]))
    ) as streams:
        epoch = (await streams.head(user)).epoch
        for _ in range(30):
            first = len(taken)
            for _ in range(rng.randint(1, 8)):
                taken += [next_event()]
            await streams.append(taken[first:])
            for _ in range(3):
                place = StreamPosition(epoch, rng.randint(0, len(taken)))
                told = await streams.unacknowledged(user, place)
                if await has_lost(streams, user, place):
                    most = expected(place.offset)
                    assert all(sequence <= most.get(of, 0) for of, sequence in told.items())
                else:
                    assert told == expected(place.offset)
            if rng.random() < 0.3:
                acknowledged = max(acknowledged, rng.randint(0, len(taken)))
                await streams.acknowledge(user, StreamPosition(epoch, acknowledged))
