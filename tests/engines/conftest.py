"""Engines of a test's own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from redis_server import RedisServer


@pytest.fixture
def new_redis(tmp_path: Path) -> Iterator[Callable[[], RedisServer]]:
    """Makes servers, which are killed in the end."""
    servers: list[RedisServer] = []

    def make() -> RedisServer:
        servers.append(RedisServer(tmp_path / f"redis-{len(servers)}"))
        return servers[-1]

    yield make
    for server in servers:
        server.kill()


@pytest_asyncio.fixture
async def redis(new_redis: Callable[[], RedisServer]) -> RedisServer:
    """One that runs."""
    server = new_redis()
    await server.start()
    return server
