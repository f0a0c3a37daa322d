"""User streams on a Redis that refuses or does not answer: said in the platform's words, with nothing half done."""

import os
import shutil
import signal
from dataclasses import replace

import pytest
from engine_endpoints import VARIABLE
from redis_platform import open_streams
from redis_server import RedisServer
from stream_events import conversation, event, everything, new_user, start_of

from chat4all_core.adapters.redis.client import open_client
from chat4all_core.adapters.redis.errors import RedisRefusedError
from chat4all_core.adapters.redis.user_stream import UserStreamSettings
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.setting import Secret

pytestmark = pytest.mark.skipif(
    not os.environ.get(VARIABLE) or shutil.which("redis-server") is None,
    reason="starts Redis: see `make test-engines`",
)

SETTINGS = UserStreamSettings()


async def test_a_full_redis_refuses_whole_batches(redis: RedisServer) -> None:
    """Out of memory nothing is appended, streams can still be read, and the batch is taken once there is room."""
    user = new_user()
    async with open_streams(redis.section, SETTINGS) as streams:
        start = await start_of(streams, user)
        await streams.append([event([user], 0)])
        await redis.command("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(UnavailableError) as error:
            await streams.append([event([user], n) for n in range(3)])
        assert error.value.retry_after > 0
        assert len(await streams.read(user, start, 10)) == 1
        await redis.command("CONFIG", "SET", "maxmemory", "0")
        await streams.append([event([user], n) for n in range(3)])
        assert len(await everything(streams, user)) == 3


async def test_whatever_is_wrong_is_told_in_our_words(redis: RedisServer) -> None:
    """A Redis that is frozen or gone is unavailable; one that refuses the account says that it does."""
    with pytest.raises(RedisRefusedError):
        async with open_client(replace(redis.section, url=Secret(f"redis://ann:wrong@127.0.0.1:{redis.port}"))):
            pass
    user = new_user()
    async with open_streams(redis.section, SETTINGS) as streams:
        head = await streams.head(user)
        redis.signal(signal.SIGSTOP)
        with pytest.raises(UnavailableError):
            await streams.append([event([user], 0)])
        redis.kill()
        for call in (
            streams.head(user),
            streams.read(user, head, 1),
            streams.acknowledge(user, head),
            streams.introduce([user], conversation()),
            streams.recent_conversations(user, None, 1),
        ):
            with pytest.raises(UnavailableError):
                await call
        with pytest.raises(UnavailableError):
            async with streams.watch(new_user()):
                pass
    with pytest.raises(UnavailableError):
        async with open_client(redis.section):
            pass


@pytest.mark.parametrize("url", ["http://ann:hush@127.0.0.1", "redis://ann:hush@127.0.0.1:port/0"])
async def test_a_url_that_is_none_is_refused(redis: RedisServer, url: str) -> None:
    """The error names the setting and not the password."""
    with pytest.raises(RedisRefusedError, match="CHAT4ALL_REDIS_URL") as error:
        async with open_client(replace(redis.section, url=Secret(url))):
            pass
    assert "hush" not in str(error.value)
    assert "hush" not in repr(replace(redis.section, url=Secret(url)))
