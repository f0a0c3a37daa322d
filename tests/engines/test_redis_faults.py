"""User streams on a Redis that is killed, emptied, cut off, promoted, full or frozen: every event, or a reset."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from engine_endpoints import VARIABLE
from engine_under_test import DEADLINE, eventually
from redis_platform import no_conversations, open_streams
from redis_server import RedisServer
from stream_events import conversation, event, new_user, payloads
from stream_follower import Follower, following

from chat4all_core.adapters.redis.client import open_client
from chat4all_core.adapters.redis.stream_keys import StreamKeys
from chat4all_core.adapters.redis.user_stream import UserStreamSettings, open_user_stream
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.ports.user_stream import PositionLostError, StreamAppend, UserStream

pytestmark = pytest.mark.skipif(
    not os.environ.get(VARIABLE) or shutil.which("redis-server") is None,
    reason="starts Redis: see `make test-engines`",
)

SETTINGS = UserStreamSettings()
APPENDER = Path(__file__).parents[1] / "support" / "redis_append_process.py"


async def append_stubbornly(streams: UserStream, appends: Sequence[StreamAppend]) -> None:
    """As a worker does: the same batch until it is taken."""

    async def taken() -> bool:
        try:
            await streams.append(appends)
        except UnavailableError:
            return False
        return True

    await eventually(taken)


async def is_unavailable(streams: UserStream) -> bool:
    """Whether appending is refused for now."""
    try:
        await streams.append([event([new_user()], 0)])
    except UnavailableError:
        return True
    return False


async def is_beyond(streams: UserStream, user: UserId, offset: int) -> bool:
    """Whether a head is so far."""
    try:
        return (await streams.head(user)).offset >= offset
    except UnavailableError:
        return False


@pytest.mark.parametrize("lost", [0, 1, 700, 40_000], ids="lost-{}".format)
async def test_followers_get_every_event_or_a_reset(redis: RedisServer, lost: int) -> None:
    """While Redis is killed again and again, also with a part of its file lost, and appends are tried until they are
    taken: each follower gets events without a gap, in order and once, until a reset, and is at the head in the end."""
    users = [new_user() for _ in range(3)]
    batches = [[event(users, 10 * n + k, sequence=10 * n + k + 1) for k in range(10)] for n in range(150)]
    done = asyncio.Event()

    async def append_all() -> None:
        for batch in batches:
            await append_stubbornly(streams, batch)
            await asyncio.sleep(0.002)
        done.set()

    async def crash() -> None:
        for _ in range(3):
            before = (await streams.head(users[0])).offset
            await eventually(partial(is_beyond, streams, users[0], before + 100))
            redis.kill()
            redis.lose(lost)
            await redis.start()

    async with open_streams(redis.section, SETTINGS) as streams:
        followers = [Follower(streams, user) for user in users for _ in range(2)]
        async with following(*followers), asyncio.timeout(4 * DEADLINE):
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(append_all())
                tasks.create_task(crash())
            last = batches[-1][-1].payload
            while not all(f.lives[-1] and f.lives[-1][-1].payload == last for f in followers):
                await asyncio.sleep(0.01)
        assert done.is_set()
        expected = [append.payload for batch in batches for append in batch]
        for follower in followers:
            assert 2 <= len(follower.lives) <= 4  # who is slow to come back may not notice every crash
            for life in follower.lives:
                heard = [e.payload for e in life]
                first = expected.index(heard[0]) if heard else 0
                assert heard == expected[first : first + len(heard)]
                assert len({e.position.epoch for e in life}) <= 1
            if not lost:
                assert (await streams.head(users[0])).offset == len(expected)


async def test_an_emptied_redis_is_told(redis: RedisServer) -> None:
    """After FLUSHALL places are of another epoch, nothing is unacknowledged at them, events are taken again, and the
    conversations are asked for where they are kept."""
    user = new_user()
    asked: list[UserId] = []

    async def conversations_of(user_id: UserId) -> Sequence[ConversationId]:
        asked.append(user_id)
        return [conversation(name) for name in "abc"]

    async with (
        open_client(redis.section) as client,
        open_user_stream(client, SETTINGS, conversations_of) as streams,
        streams.watch(user) as watch,
    ):
        batch = [event([user], n, of=name, sequence=1) for n, name in enumerate("abcb")]
        await streams.append(batch)
        assert [c.conversation_id for c in await streams.recent_conversations(user, None, 9)] == ["b", "c", "a"]
        assert len(await watch.next(DEADLINE)) == 4
        old = await streams.head(user)
        await redis.command("FLUSHALL")
        with pytest.raises(PositionLostError) as error:
            await streams.read(user, old, 10)
        assert error.value.epoch_changed
        assert await streams.unacknowledged(user, old) == {}
        await streams.acknowledge(user, old)
        await streams.append(batch[:1])
        (heard,) = await watch.next(DEADLINE)
        assert heard.position.epoch != old.epoch
        assert heard.position.offset == 1
        assert await streams.unacknowledged(user, heard.position) == {"a": 1}
        # What is there came after the loss.
        assert [c.conversation_id for c in await streams.recent_conversations(user, None, 9)] == ["a", "c", "b"]
        assert [c.conversation_id for c in await streams.recent_conversations(user, None, 1)] == ["a"]
        assert asked == [user, user]


async def test_what_survives_a_restart_keeps_its_worth(redis: RedisServer) -> None:
    """In the new epoch events that were taken are skipped, offsets go on, what was announced is unacknowledged, the
    order of conversations stays, and what is missing in it was newest."""
    user = new_user()
    batch = [event([user], n, of=name, sequence=n + 1) for n, name in enumerate("aba")]

    async def conversations_of(user_id: UserId) -> Sequence[ConversationId]:
        return [conversation(name) for name in ("a", "lost", "b")]

    async with open_client(redis.section) as client, open_user_stream(client, SETTINGS, no_conversations) as streams:
        await streams.append(batch)
        await streams.recent_conversations(user, None, 9)
        old = await streams.head(user)
    redis.kill()
    await redis.start()
    async with open_client(redis.section) as client, open_user_stream(client, SETTINGS, conversations_of) as streams:
        with pytest.raises(PositionLostError) as error:
            await streams.read(user, old, 10)
        assert error.value.epoch_changed
        await streams.append([*batch, event([user], 3, of="b", sequence=4)])
        head = await streams.head(user)
        assert (head.epoch != old.epoch, head.offset) == (True, 4)
        assert await streams.unacknowledged(user, head) == {"a": 3, "b": 4}
        recent = await streams.recent_conversations(user, None, 9)
        assert [c.conversation_id for c in recent] == ["lost", "b", "a"]


async def test_a_promoted_replica_begins_new_epochs(redis: RedisServer, new_redis: Callable[[], RedisServer]) -> None:
    """A replica is neither written nor read, and connections to it are given up. When it is promoted after it had lost
    touch, the events that it lacks are no silent gap: their places are told to be of another epoch."""
    replica = new_redis()
    await replica.start()
    user = new_user()
    async with (
        open_streams(redis.section, SETTINGS) as streams,
        open_streams(replica.section, SETTINGS) as connected,
    ):
        await replica.command("REPLICAOF", "127.0.0.1", str(redis.port))
        await eventually(replica.is_linked)
        await streams.append([event([user], n) for n in range(5)])
        early = await streams.head(user)

        async def replicated() -> bool:
            return await replica.command("XLEN", StreamKeys(redis.section.key_prefix).of(user)[1]) == 5

        await eventually(replicated)
        assert await is_unavailable(connected)
        with pytest.raises(UnavailableError):
            await connected.read(user, early, 10)
        assert "cmd=eval" not in str(await replica.command("CLIENT", "LIST"))
        # A master that nobody listens to: what comes now does not reach the replica.
        await replica.command("REPLICAOF", "127.0.0.1", "1")
        await streams.append([event([user], n) for n in range(5, 9)])
        late = await streams.head(user)
        redis.kill()
        await replica.command("REPLICAOF", "NO", "ONE")
        await append_stubbornly(connected, [event([user], n) for n in range(9, 14)])
        for place in (early, late):
            with pytest.raises(PositionLostError) as error:
                await connected.read(user, place, 10)
            assert error.value.epoch_changed
        head = await connected.head(user)
        assert (head.epoch != early.epoch, head.offset) == (True, 10)


async def test_two_owners_of_a_partition_append_each_event_once(redis: RedisServer) -> None:
    """Two processes that append the same events at the same time leave each event once and in order, and those who
    watch hear the same."""
    one, other = new_user(), new_user()
    section = replace(redis.section, key_prefix="zombies:")
    count = 1_000
    arguments = (str(redis.port), section.key_prefix, one, other, str(count))
    environment = {**os.environ, "PYTHONPATH": str(APPENDER.parent)}
    async with open_streams(section, SETTINGS) as streams:
        follower = Follower(streams, one)
        async with following(follower), asyncio.timeout(2 * DEADLINE):
            owners = [
                await asyncio.create_subprocess_exec(
                    sys.executable,
                    str(APPENDER),
                    *arguments,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    env=environment,
                )
                for _ in range(2)
            ]
            for owner in owners:
                assert owner.stdout is not None
                assert await owner.stdout.readline() == b"ready\n"
            for owner in owners:
                await owner.communicate(b"go\n")
            assert [owner.returncode for owner in owners] == [0, 0]
            while len(follower.lives[-1]) < count:
                await asyncio.sleep(0.01)
        expected = [event([], n).payload for n in range(count)]
        assert [e.payload for e in follower.lives[-1]] == expected
        assert await payloads(streams, other) == expected
        assert len(follower.lives) == 1


async def test_a_lost_connection_shows_as_a_gap(redis: RedisServer) -> None:
    """Watches whose connection was cut are told to look, and hear what is appended after that."""
    user = new_user()
    async with open_streams(redis.section, SETTINGS) as streams, streams.watch(user) as watch:
        await redis.command("CLIENT", "KILL", "TYPE", "pubsub")
        assert await watch.next(DEADLINE) == []
        await streams.append([event([user], 0)])
        assert [e.payload for e in await watch.next(DEADLINE)] == [event([], 0).payload]


async def test_a_redis_that_hangs_shows_as_a_gap(redis: RedisServer) -> None:
    """A connection on which nothing is answered any more is given up without waiting for anyone to close it, and
    watches are told once there is another."""
    user = new_user()
    async with open_streams(redis.section, SETTINGS) as streams, streams.watch(user) as watch:
        redis.signal(signal.SIGSTOP)
        await eventually(lambda: is_unavailable(streams))
        assert await watch.next(3.0) == []  # longer than the connection is given
        redis.signal(signal.SIGCONT)
        assert await watch.next(DEADLINE) == []
        await streams.append([event([user], 0)])
        assert [e.payload for e in await watch.next(DEADLINE)] == [event([], 0).payload]
