"""Uploads whose parts go straight to a store, here a real HTTP server of the test's."""

import hashlib
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from chat4all_sdk import AsyncClient, TransferProgress, Upload

from .memory_platform.server import MemoryPlatform

DATA = random.Random(2).randbytes(2_000_003)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
async def store(platform: MemoryPlatform) -> AsyncIterator[MemoryPlatform]:
    """The platform, with a store of parts that listens."""
    application = web.Application(client_max_size=1 << 30)
    application.router.add_put("/{upload_id}/{number}", platform.files.receive_part)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    platform.files.store_url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield platform
    finally:
        await runner.cleanup()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of eight parts."""
    path = tmp_path / "big.bin"
    path.write_bytes(DATA)
    return path


async def test_parts(store: MemoryPlatform, alice: AsyncClient, direct: str, path: Path) -> None:
    """All parts come by their URLs, none through the platform, and progress ends at the last byte."""
    seen: list[TransferProgress] = []
    file = await alice.upload(direct, path, direct=True, on_progress=seen.append)
    assert file.sha256 == SHA256
    assert store.state.requests("CreateUpload")[0].sha256 == SHA256
    assert store.files.received == 0
    assert seen[-1] == TransferProgress(len(DATA), len(DATA))


async def test_a_store_that_fails_now_and_then(
    store: MemoryPlatform, alice: AsyncClient, direct: str, path: Path
) -> None:
    """Parts that are refused for a while, or because a URL is too old, are sent again."""
    store.files.faults.part_statuses.extend([503, 403])
    assert (await alice.upload(direct, path, direct=True)).sha256 == SHA256
    fresh = [r for r in store.state.requests("CreateDirectUpload") if r.part_count == 1]
    assert len(fresh) == 1
    assert store.files.received == 0


async def test_a_store_out_of_reach(platform: MemoryPlatform, alice: AsyncClient, direct: str, path: Path) -> None:
    """When no part can be sent, the upload is given up for one through the platform, which the caller is told."""
    uploads: list[Upload] = []
    file = await alice.upload(direct, path, direct=True, on_upload=uploads.append)
    assert (file.sha256, file.file_id) == (SHA256, uploads[1].file_id)
    assert platform.state.requests("CancelUpload")[0].upload_id == uploads[0].upload_id
    assert platform.files.received == len(DATA)


async def test_going_on(store: MemoryPlatform, alice: AsyncClient, direct: str, path: Path) -> None:
    """Parts that are there from the first on are not sent again by a later run."""
    uploads: list[Upload] = []
    store.files.faults.part_statuses.append(413)
    await alice.upload(direct, path, direct=True, on_upload=uploads.append)
    assert len(uploads) == 2  # a refusal for good of the first part, so the platform took the bytes
    begun = await alice.upload(direct, path, direct=True, on_upload=uploads.append)
    stored = store.files.uploads[uploads[2].upload_id]
    assert stored.file.file_id == begun.file_id
    stored.file.state = 1  # PENDING, as if the run had died before the last two parts
    for number in (7, 8):
        del stored.parts[number]
    seen: list[TransferProgress] = []
    again = await alice.upload(direct, path, direct=True, upload_id=uploads[2].upload_id, on_progress=seen.append)
    assert (again.sha256, seen[0].done) == (SHA256, 6 * 256 * 1024)


async def test_no_detour(platform: MemoryPlatform, alice: AsyncClient, direct: str, tmp_path: Path) -> None:
    """Left to itself, the client asks once where parts would go, and streams when that is the platform itself."""
    platform.files.store_url = f"http://{platform.target}/v1/blobs"
    path = tmp_path / "big"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    for _ in range(2):
        await alice.upload(direct, path)
    assert platform.files.received == 2 * (64 << 20)
    assert len(platform.state.requests("CreateDirectUpload")) == len(platform.state.requests("CancelUpload")) == 1
