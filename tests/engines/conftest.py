"""Engines of a test's own."""

import os
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from engine_endpoints import VARIABLE, engine_endpoints
from redis_server import RedisServer
from tools.engines import Engines, FreePorts

from chat4all_core.config import CassandraSection, S3Section
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.object_store import ObjectStore


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


@pytest.fixture(scope="session")
def s3_engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """The S3 stores, to be killed and frozen; who does so starts them again."""
    if not os.environ.get(VARIABLE):
        pytest.skip("brings up S3 stores: see `make test-engines`")
    engines = Engines(tmp_path_factory.mktemp("s3"))
    engines.up(["minio", "seaweedfs"], ports={"minio": FreePorts(), "seaweedfs": FreePorts()})
    yield engines
    engines.down(wipe=True)


@pytest.fixture(params=["minio", "seaweedfs"])
def s3_engine(request: pytest.FixtureRequest) -> str:
    """Each S3 store in turn."""
    name: str = request.param
    return name


@pytest.fixture
def s3_section(s3_engines: Engines, s3_engine: str) -> Iterator[S3Section]:
    """A bucket of the test's own, not made yet."""
    from s3_store import remove_bucket, section_for  # here, so that tests of other engines do without its client

    section = section_for(s3_engines.endpoint(s3_engine))
    yield section
    remove_bucket(section)


@pytest.fixture
async def s3_store(s3_section: S3Section) -> AsyncIterator[ObjectStore]:
    """A store on that bucket."""
    from s3_store import open_store

    async with open_store(s3_section, system_clock) as store:
        yield store


@pytest.fixture(scope="module")
def section() -> Iterator[CassandraSection]:
    """A keyspace of Cassandra with all tables."""
    from cassandra_keyspace import migrated_keyspace  # here, so that tests of other engines do without its driver

    with migrated_keyspace(engine_endpoints()["cassandra"]) as section:
        yield section
