"""Uploads: every kind of source, through cuts, takeovers, damage and restarts."""

import asyncio
import hashlib
import io
import os
import random
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from chat4all_sdk import (
    Aborted,
    AsyncClient,
    DataLoss,
    FailedPrecondition,
    FileState,
    NotFound,
    TransferProgress,
    Unavailable,
    Upload,
)
from chat4all_sdk.upload_source import StreamedSource

from .memory_platform.refusal import Refusal
from .memory_platform.server import MemoryPlatform

DATA = random.Random(1).randbytes(1_000_003)
SHA256 = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of a megabyte."""
    path = tmp_path / "report.pdf"
    path.write_bytes(DATA)
    return path


async def pieces(size: int = 70_000) -> AsyncIterator[bytes]:
    """The same bytes as a stream."""
    for start in range(0, len(DATA), size):
        yield DATA[start : start + size]


class Pipe(io.RawIOBase):
    """A file object that can't be read again."""

    def __init__(self) -> None:
        self._rest = io.BytesIO(DATA)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        return self._rest.readinto(buffer)


def only_upload(platform: MemoryPlatform):
    (stored,) = platform.files.uploads.values()
    return stored


async def test_a_path(platform: MemoryPlatform, alice: AsyncClient, direct: str, path: Path) -> None:
    """A path is uploaded under its name, with progress up to the last byte."""
    seen: list[TransferProgress] = []
    file = await alice.upload(direct, path, on_progress=seen.append)
    assert (file.filename, file.size_bytes, file.sha256) == ("report.pdf", len(DATA), SHA256)
    assert (file.state, file.owner) == (FileState.AVAILABLE, (await alice.me()).user_id)
    assert only_upload(platform).data == DATA
    assert [seen[0], seen[-1]] == [TransferProgress(0, len(DATA)), TransferProgress(len(DATA), len(DATA))]


@pytest.mark.parametrize("kind", ["seekable", "pipe", "async iterator", "iterator"])
async def test_every_kind_of_source(platform: MemoryPlatform, alice: AsyncClient, direct: str, kind: str) -> None:
    """File objects and iterators give the same file through two cuts that lose bytes on the way."""
    platform.files.faults.cuts.extend([200_000, 300_000])
    platform.files.faults.forgets = 100_001
    source = {
        "seekable": lambda: io.BytesIO(DATA),
        "pipe": lambda: io.BufferedReader(Pipe()),
        "async iterator": pieces,
        "iterator": lambda: iter([DATA[:5], DATA[5:500_000], DATA[500_000:]]),
    }[kind]()
    file = await alice.upload(direct, source, "f", "image/png")
    assert (file.sha256, file.mime_type) == (SHA256, "image/png")
    assert only_upload(platform).data == DATA


async def test_a_file_object_is_read_from_where_it_stands(alice: AsyncClient, direct: str) -> None:
    """What was read of a file object before is no part of the upload."""
    source = io.BytesIO(DATA)
    source.seek(400_000)
    assert (await alice.upload(direct, source, "rest")).sha256 == hashlib.sha256(DATA[400_000:]).hexdigest()


async def test_an_empty_file(alice: AsyncClient, direct: str) -> None:
    """Nothing at all is a file too, with its size known or not."""
    for source in (io.BytesIO(), iter([b""])):
        file = await alice.upload(direct, source, "empty")
        assert (file.size_bytes, file.state) == (0, FileState.AVAILABLE)


async def test_a_cut_costs_only_what_was_not_committed(
    platform: MemoryPlatform, alice: AsyncClient, direct: str, path: Path
) -> None:
    """After a cut the upload goes on from the committed size: nothing before it is sent again."""
    platform.files.faults.cuts.append(500_000)
    await alice.upload(direct, path)
    first, second = platform.state.requests("WriteUpload")
    assert (first.offset, second.offset) == (0, 8 * 64 * 1024)
    assert platform.files.received == len(DATA)


@pytest.mark.parametrize("seekable", [True, False])
async def test_while_nothing_is_kept_little_is_sent(
    platform: MemoryPlatform, alice: AsyncClient, direct: str, seekable: bool
) -> None:
    """After an attempt of which the platform kept nothing, single chunks are sent until one of them is kept."""
    chunk = 64 * 1024
    platform.files.faults.cuts.extend([8 * chunk, 1, 1, 1])
    platform.files.faults.forgets = 2 * len(DATA)
    file = await alice.upload(direct, io.BytesIO(DATA) if seekable else pieces(), "f")
    assert file.sha256 == SHA256
    assert platform.files.received == len(DATA) + 8 * chunk + 3 * chunk


async def test_the_server_dies_and_comes_back(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A server that is gone for a while, in the middle of a stream, delays an upload and no more."""
    half, back = asyncio.Event(), asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        yield DATA[:500_000]
        half.set()
        await back.wait()
        yield DATA[500_000:]

    uploading = asyncio.create_task(alice.upload(direct, source(), "f"))
    await half.wait()
    await platform.kill()
    back.set()
    await platform.start()
    assert (await uploading).sha256 == SHA256


async def test_an_expired_token(platform: MemoryPlatform, alice: AsyncClient, direct: str, path: Path) -> None:
    """A token that expired before a stream is renewed, and the stream begun again."""
    uploads: list[Upload] = []

    def expire(upload: Upload) -> None:
        uploads.append(upload)
        platform.state.expire_tokens()

    assert (await alice.upload(direct, path, on_upload=expire)).sha256 == SHA256
    assert len(uploads) == len(platform.state.requests("RefreshToken")) == 1


async def test_damage_on_the_way(platform: MemoryPlatform, alice: AsyncClient, direct: str, path: Path) -> None:
    """A chunk that arrives damaged is sent again."""
    platform.files.faults.damages = 2
    assert (await alice.upload(direct, path)).sha256 == SHA256
    assert only_upload(platform).data == DATA


async def test_other_bytes_on_the_platform(
    platform: MemoryPlatform, alice: AsyncClient, direct: str, path: Path
) -> None:
    """When the platform's SHA-256 differs, the file is deleted and DataLoss raised."""
    platform.files.faults.wrong_sum = True
    with pytest.raises(DataLoss) as raised:
        await alice.upload(direct, path)
    assert raised.value.reason == "SHA256_MISMATCH"
    assert len(platform.state.requests("DeleteFile")) == 1


async def test_a_second_writer(platform: MemoryPlatform, alice: AsyncClient, direct: str, path: Path) -> None:
    """Whoever goes on with an upload wins; the one before is told by Aborted, and does not fight back."""
    uploads: list[Upload] = []
    begun, going = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield DATA[:200_000]
        begun.set()
        await going.wait()
        yield DATA[200_000:]

    first = asyncio.create_task(alice.upload(direct, slow(), "f", on_upload=uploads.append))
    await begun.wait()
    await platform.state.wait_until(lambda: platform.state.requests("WriteUpload"))
    second = await alice.upload(direct, pieces(), "f", upload_id=uploads[0].upload_id)
    going.set()
    with pytest.raises(Aborted) as raised:
        await first
    assert raised.value.reason == "UPLOAD_TAKEN_OVER"
    assert second.sha256 == SHA256


@pytest.mark.parametrize("kind", ["path", "iterator"])
async def test_going_on_in_another_process(
    platform: MemoryPlatform, alice: AsyncClient, direct: str, path: Path, kind: str
) -> None:
    """With the upload_id of a run that died a new one sends the rest, and compares the sum of the whole."""
    uploads: list[Upload] = []

    async def dying() -> AsyncIterator[bytes]:
        yield DATA[:600_000]
        raise RuntimeError("died")

    if kind == "path":
        dead = path.with_name("dead")
        dead.write_bytes(DATA)
        platform.files.faults.cuts.append(600_000)
        platform.fail("GetUpload", _permanent())
        with pytest.raises(NotFound):
            await alice.upload(direct, dead, on_upload=uploads.append)
    else:
        with pytest.raises(RuntimeError, match="died"):
            await alice.upload(direct, dying(), "f", on_upload=uploads.append)
    upload_id = uploads[0].upload_id
    committed = (await alice.get_upload(upload_id)).committed_size
    before = platform.files.received
    source = path if kind == "path" else pieces()
    file = await alice.upload(direct, source, "f", upload_id=upload_id)
    assert (file.file_id, file.sha256) == (uploads[0].file_id, SHA256)
    assert platform.files.received - before == len(DATA) - committed
    assert committed > 0


def _permanent() -> Refusal:
    return Refusal(grpc.StatusCode.NOT_FOUND, "gone", "UPLOAD_NOT_FOUND")


async def test_a_finished_upload(platform: MemoryPlatform, alice: AsyncClient, direct: str, path: Path) -> None:
    """Going on with an upload whose last answer got lost sends nothing and gives the file; other bytes are noticed."""
    uploads: list[Upload] = []
    file = await alice.upload(direct, path, on_upload=uploads.append)
    sent, upload_id = platform.files.received, uploads[0].upload_id
    assert await alice.upload(direct, path, upload_id=upload_id) == file
    assert platform.files.received == sent
    with pytest.raises(DataLoss):
        await alice.upload(direct, io.BytesIO(bytes(len(DATA))), "f", upload_id=upload_id)
    with pytest.raises(FailedPrecondition):
        await alice.upload(direct, io.BytesIO(b"short"), "f", upload_id=upload_id)
    await alice.delete_file(file.file_id)
    with pytest.raises(FailedPrecondition) as raised:
        await alice.upload(direct, path, upload_id=upload_id)
    assert raised.value.reason == "UPLOAD_CLOSED"


async def test_a_source_that_shrinks(alice: AsyncClient, direct: str, path: Path) -> None:
    """A file that got shorter since the upload began is DataLoss, and no endless wait."""

    def shorten(_: Upload) -> None:
        os.truncate(path, 300_000)

    with pytest.raises(DataLoss) as raised:
        await alice.upload(direct, path, on_upload=shorten)
    assert raised.value.reason == "UPLOAD_INCOMPLETE"


async def test_giving_up(platform: MemoryPlatform, direct: str, alice: AsyncClient, path: Path) -> None:
    """When the platform stays away longer than the timeout, Unavailable is raised."""
    async with AsyncClient(platform.target, session=alice.session, timeout=0.3) as client:
        await client.me()
        stopping: list[asyncio.Task[None]] = []
        with pytest.raises(Unavailable):
            await client.upload(direct, path, on_upload=lambda _: stopping.append(asyncio.create_task(platform.kill())))


async def test_cancelling(platform: MemoryPlatform, alice: AsyncClient, direct: str) -> None:
    """A cancelled upload is gone, and so can't be gone on with."""
    uploads: list[Upload] = []
    with pytest.raises(ValueError, match="filename"):
        await alice.upload(direct, pieces())
    with pytest.raises(TypeError):
        await alice.upload(direct, b"bytes", "f")  # type: ignore[arg-type]

    async def nothing() -> AsyncIterator[bytes]:
        raise OSError("no disk")
        yield b""

    with pytest.raises(OSError, match="no disk"):
        await alice.upload(direct, nothing(), "f", on_upload=uploads.append)
    await alice.cancel_upload(uploads[0].upload_id)
    with pytest.raises(NotFound):
        await alice.upload(direct, pieces(), "f", upload_id=uploads[0].upload_id)


async def test_what_is_held_of_a_stream_is_bounded() -> None:
    """A stream is read no further than its bound before what was sent is released."""
    taken = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 100
            yield bytes(100)

    source = StreamedSource(endless(), held_bytes=1_000)
    offset = 0
    while chunk := await source.read(offset, 300):
        offset += len(chunk)
    assert (offset, taken, source.ended) == (1_000, 1_000, False)
    source.release(600)
    assert len(await source.read(600, 5_000)) == 1_000
    with pytest.raises(DataLoss):
        await source.read(599, 1)
