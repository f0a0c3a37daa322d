"""The platform that the end-to-end tests talk to."""

from collections.abc import Iterator

import pytest
from platform_process import PlatformProcess


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlatformProcess]:
    """The whole platform, one for all tests of a session: each test brings people of its own."""
    process = PlatformProcess(tmp_path_factory.mktemp("platform"))
    process.start()
    yield process
    assert process.stop() == 0
