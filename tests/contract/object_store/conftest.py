"""The object stores that must keep the contract."""

import itertools
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from pathlib import Path

import pytest
from engine_endpoints import engine_endpoints
from file_service import TestClock

from chat4all_core.adapters.folder.folder_object_store import FolderObjectStore
from chat4all_core.adapters.folder.link import LinkSigner
from chat4all_core.config import S3Section
from chat4all_core.domain.upload import MIN_PART_BYTES
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.object_store import ObjectStore


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The folder, and S3 on each store that is up."""
    if "store" in metafunc.fixturenames:
        kinds = [engine for engine in engine_endpoints() if engine in ("minio", "seaweedfs")]
        metafunc.parametrize("store", ["folder", *kinds], indirect=True)


@pytest.fixture
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    """Each store in turn."""
    if request.param == "folder":
        clock = TestClock()
        folder = await FolderObjectStore.open(tmp_path, LinkSigner(b"k" * 32, clock), clock, "http://localhost")
        async with aclosing(folder):
            yield folder
        return
    # Here, so that tests without engines do without their clients.
    from s3_store import open_store

    async with open_store(request.getfixturevalue("s3_sections")[request.param], system_clock) as s3:
        yield s3


@pytest.fixture(scope="session")
def s3_sections() -> Iterator[Mapping[str, S3Section]]:
    """A bucket for all tests on each engine."""
    from s3_store import ENGINES, remove_bucket, section_for

    sections = {engine: section_for(endpoint) for engine, endpoint in engine_endpoints().items() if engine in ENGINES}
    yield sections
    for section in sections.values():
        remove_bucket(section)


@pytest.fixture
def new_key() -> Callable[[], str]:
    """Makes keys that nobody has used."""
    run, numbers = uuid.uuid4().hex, itertools.count()
    return lambda: f"files/{run}-{next(numbers)}"


@pytest.fixture
def part_size() -> int:
    """The smallest that every store takes."""
    return MIN_PART_BYTES
