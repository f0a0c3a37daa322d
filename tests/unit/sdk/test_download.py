"""Downloads: to paths, file objects and iterators, through cuts, damage and restarts."""

import hashlib
import io
import os
import random
from contextlib import aclosing
from pathlib import Path

import pytest

from chat4all_sdk import (
    AsyncClient,
    DataLoss,
    FailedPrecondition,
    File,
    NotFound,
    PermissionDenied,
    TransferProgress,
)

from .conftest import PASSWORD
from .memory_platform.server import MemoryPlatform

DATA = random.Random(3).randbytes(1_000_003)


@pytest.fixture
async def file(alice: AsyncClient, direct: str) -> File:
    """A file that alice uploaded."""
    return await alice.upload(direct, io.BytesIO(DATA), "report.pdf")


async def test_to_a_path(bob: AsyncClient, file: File, tmp_path: Path) -> None:
    """A download to a new name replaces what is there, and leaves nothing else in the folder."""
    target = tmp_path / "got"
    target.write_text("old")
    seen: list[TransferProgress] = []
    assert await bob.download(file.file_id, target, on_progress=seen.append) == file
    assert target.read_bytes() == DATA
    assert [tmp_path / name for name in os.listdir(tmp_path)] == [target]
    assert seen[-1] == TransferProgress(len(DATA), len(DATA))


async def test_to_a_folder(alice: AsyncClient, bob: AsyncClient, file: File, direct: str, tmp_path: Path) -> None:
    """In a folder a file has its own name, which can't lead out of the folder."""
    await bob.download(file.file_id, tmp_path)
    assert (tmp_path / "report.pdf").read_bytes() == DATA
    for name in ("../../evil", "..\\evil", "/evil"):
        hostile = await alice.upload(direct, io.BytesIO(b"x"), name)
        await bob.download(hostile.file_id, str(tmp_path))
        (tmp_path / "evil").unlink()
    dots = await alice.upload(direct, io.BytesIO(b"x"), "..")
    await bob.download(dots.file_id, tmp_path)
    assert (tmp_path / dots.file_id).exists()


async def test_to_a_file_object(bob: AsyncClient, file: File) -> None:
    """A file object gets the bytes from where it stands."""
    target = io.BytesIO(b"head")
    target.seek(4)
    await bob.download(file.file_id, target)
    assert target.getvalue() == b"head" + DATA


async def test_through_cuts_and_damage(platform: MemoryPlatform, bob: AsyncClient, file: File, tmp_path: Path) -> None:
    """After a cut or a damaged chunk the download goes on where it was; no byte before is loaded again."""
    platform.files.faults.cuts.extend([300_000, 700_000])
    await bob.download(file.file_id, tmp_path / "got")
    assert (tmp_path / "got").read_bytes() == DATA
    assert [r.offset for r in platform.state.requests("DownloadFile")] == [0, 5 * 65536, 11 * 65536]
    platform.files.faults.damages = 1
    await bob.download(file.file_id, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == DATA


async def test_going_on_with_what_an_earlier_run_left(
    platform: MemoryPlatform, bob: AsyncClient, file: File, tmp_path: Path
) -> None:
    """A run that died leaves its bytes beside the target, and the next one loads the rest only."""

    class Died(Exception):
        pass

    def die(progress: TransferProgress) -> None:
        if progress.done > 500_000:
            raise Died

    with pytest.raises(Died):
        await bob.download(file.file_id, tmp_path / "got", on_progress=die)
    (left,) = os.listdir(tmp_path)
    size = (tmp_path / left).stat().st_size
    await bob.download(file.file_id, tmp_path / "got")
    assert platform.state.requests("DownloadFile")[-1].offset == size > 0
    assert (tmp_path / "got").read_bytes() == DATA


async def test_wrong_bytes(platform: MemoryPlatform, bob: AsyncClient, file: File, tmp_path: Path) -> None:
    """Bytes with another SHA-256 are never put in place, and are not gone on with."""
    (stored,) = platform.files.uploads.values()
    stored.data[10] ^= 1
    with pytest.raises(DataLoss) as raised:
        await bob.download(file.file_id, tmp_path / "got")
    assert raised.value.reason == "SHA256_MISMATCH"
    assert [tmp_path / name for name in os.listdir(tmp_path)] == []
    with pytest.raises(DataLoss):
        await bob.download(file.file_id, io.BytesIO())
    with pytest.raises(DataLoss):
        [chunk async for chunk in bob.download_chunks(file.file_id)]


async def test_chunks(platform: MemoryPlatform, bob: AsyncClient, file: File) -> None:
    """The bytes come as an iterator too, all or a range, through a cut, and leaving early ends the stream."""
    platform.files.faults.cuts.append(200_000)
    assert b"".join([chunk async for chunk in bob.download_chunks(file.file_id)]) == DATA
    part = [chunk async for chunk in bob.download_chunks(file.file_id, offset=999_000, limit=10_000)]
    assert b"".join(part) == DATA[999_000:]
    async with aclosing(bob.download_chunks(file.file_id, offset=5)) as chunks:
        assert (await anext(chunks))[:10] == DATA[5:15]


async def test_refusals(platform: MemoryPlatform, bob: AsyncClient, file: File, tmp_path: Path) -> None:
    """A file that is unknown or not AVAILABLE is refused by its reason, and nothing is written."""
    with pytest.raises(NotFound) as missing:
        await bob.download("none", tmp_path / "got")
    assert missing.value.reason == "FILE_NOT_FOUND"
    await bob.delete_file(file.file_id)
    with pytest.raises(FailedPrecondition) as deleted:
        await bob.download(file.file_id, tmp_path / "got")
    assert deleted.value.reason == "FILE_NOT_AVAILABLE"
    assert [tmp_path / name for name in os.listdir(tmp_path)] == []


async def test_lists_and_links(platform: MemoryPlatform, alice: AsyncClient, bob: AsyncClient, direct: str) -> None:
    """Files are listed newest first over all pages, looked up, linked to and deleted."""
    made = [await alice.upload(direct, io.BytesIO(b"x"), f"{number}") for number in range(5)]
    assert [f.filename async for f in bob.files(direct, page_size=2)] == ["4", "3", "2", "1", "0"]
    page = await bob.list_files(direct, page_size=2)
    assert [f.filename for f in page] == ["4", "3"]
    assert await bob.get_file(made[0].file_id) == made[0]
    assert (await bob.get_download_url(made[0].file_id)).url.endswith(made[0].file_id)
    await alice.delete_file(made[4].file_id)
    assert len(await bob.list_files(direct)) == 4
    async with AsyncClient(platform.target) as stranger:
        await stranger.register("carol", PASSWORD)
        await stranger.login("carol", PASSWORD)
        with pytest.raises(PermissionDenied):
            await stranger.list_files(direct)


async def test_messages_with_files(alice: AsyncClient, bob: AsyncClient, direct: str, file: File) -> None:
    """A message may carry a file, with a text or without, over a stream as well."""
    sent = await alice.send(direct, file_id=file.file_id)
    async with alice.send_stream() as stream:
        streamed = await stream.send(direct, "see this", file_id=file.file_id)
    for message_id, text in ((sent.message_id, ""), (streamed.message_id, "see this")):
        message = await bob.get_message(message_id)
        assert message.file is not None
        assert (message.file.file_id, message.text) == (file.file_id, text)
    assert (await bob.get_message((await alice.send(direct, "none")).message_id)).file is None
    assert hashlib.sha256(DATA).hexdigest() == file.sha256
