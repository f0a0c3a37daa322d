"""The object stores that must keep the contract. Another one joins by a parameter here."""

import itertools
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import pytest
from file_service import TestClock

from chat4all_core.adapters.folder.folder_object_store import FolderObjectStore
from chat4all_core.adapters.folder.link import LinkSigner
from chat4all_core.domain.upload import MIN_PART_BYTES
from chat4all_core.ports.object_store import ObjectStore


@pytest.fixture(params=["folder"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[ObjectStore]:
    """Each store in turn."""
    assert request.param == "folder"
    clock = TestClock()
    folder = await FolderObjectStore.open(tmp_path, LinkSigner(b"k" * 32, clock), clock, "http://localhost")
    async with aclosing(folder):
        yield folder


@pytest.fixture
def new_key() -> Callable[[], str]:
    """Makes keys that nobody has used."""
    run, numbers = uuid.uuid4().hex, itertools.count()
    return lambda: f"files/{run}-{next(numbers)}"


@pytest.fixture
def part_size() -> int:
    """The smallest that every store takes."""
    return MIN_PART_BYTES
