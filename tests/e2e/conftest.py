"""The platforms that the end-to-end tests talk to."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from channel_accounts import write_accounts
from grpc_platform import GrpcPlatform, open_grpc_platform
from platform_process import MakePlatform, PlatformProcess


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


@pytest.fixture
async def grpc_platform(tmp_path: Path) -> AsyncIterator[GrpcPlatform]:
    """Server and workers in the test's own process, where the test has the clock and the keys in hand."""
    async with open_grpc_platform(tmp_path) as opened:
        yield opened
