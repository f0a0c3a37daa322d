"""The platforms that the end-to-end tests talk to."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
from channel_accounts import write_accounts
from file_limits import SETTINGS
from file_people import People
from grpc_platform import GrpcPlatform, Person, open_grpc_platform
from platform_process import MakePlatform, PlatformProcess
from rest_user import RestUser


@pytest.fixture(scope="session")
def make_platform(pytestconfig: pytest.Config) -> Iterator[MakePlatform]:
    """Makes platforms in the form that --platform says."""
    if pytestconfig.getoption("platform") == "standalone":
        yield PlatformProcess
        return
    # Here, so that tests without engines do without their clients.
    from distributed_process import distributed_platforms

    with distributed_platforms() as make:
        yield make


@pytest.fixture(scope="session")
def platform(make_platform: MakePlatform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    """The whole platform, one for all tests of a session: each test brings people of its own."""
    folder = tmp_path_factory.mktemp("platform")
    accounts = write_accounts(folder / "accounts.toml")
    process = make_platform(folder / "data", {"CHAT4ALL_CHANNELS_ACCOUNTS_FILE": str(accounts)})
    process.start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="session")
def strict_platform(make_platform: MakePlatform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    """Another one, which allows less of files (see `file_limits`)."""
    process = make_platform(tmp_path_factory.mktemp("strict"), SETTINGS)
    process.start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="session")
def accounts(platform: PlatformProcess) -> list[RestUser]:
    """Three people for all tests of files, for registering takes time."""

    async def join() -> list[RestUser]:
        async with aiohttp.ClientSession(platform.url) as session:
            return [await RestUser.join(session) for _ in range(3)]

    return asyncio.run(join())


@pytest.fixture
async def people(platform: PlatformProcess, accounts: list[RestUser]) -> AsyncIterator[People]:
    """The same three with a new conversation."""
    async with aiohttp.ClientSession(platform.url) as session:
        yield await People.meet(session, *accounts)


@pytest.fixture
async def session(platform: PlatformProcess) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of the public port."""
    async with aiohttp.ClientSession(platform.url) as client:
        yield client


@pytest.fixture
async def grpc_platform(tmp_path: Path) -> AsyncIterator[GrpcPlatform]:
    """Server and workers in the test's own process, where the test has the clock and the keys in hand."""
    async with open_grpc_platform(tmp_path) as opened:
        yield opened


@pytest.fixture
async def ann(grpc_platform: GrpcPlatform) -> Person:
    """Somebody on it."""
    return await grpc_platform.person("ann")


@pytest.fixture
async def ben(grpc_platform: GrpcPlatform) -> Person:
    """Somebody else."""
    return await grpc_platform.person("ben")


@pytest.fixture
async def room(grpc_platform: GrpcPlatform, ann: Person, ben: Person) -> str:
    """The id of a group of the two."""
    return await grpc_platform.group(ann, ben)
