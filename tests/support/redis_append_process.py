"""A program that appends the events of a source to two streams, from the first on, a few at a time.

Arguments: port, key prefix, two users, the number of events. It prints a line once it could begin, and begins when it
is sent one.
"""

import asyncio
import sys

from redis_platform import open_streams
from stream_events import event

from chat4all_core.adapters.redis.user_stream import UserStreamSettings
from chat4all_core.config import RedisSection
from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.setting import Secret


async def main(port: str, prefix: str, one: str, other: str, count: str) -> None:
    """Append."""
    section = RedisSection(url=Secret(f"redis://127.0.0.1:{port}/0"), key_prefix=prefix)
    users = [UserId(ParticipantId(one)), UserId(ParticipantId(other))]
    async with open_streams(section, UserStreamSettings()) as streams:
        print("ready", flush=True)
        sys.stdin.readline()
        for offset in range(0, int(count), 5):
            await streams.append([event(users, offset + n, sequence=offset + n + 1) for n in range(5)])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
