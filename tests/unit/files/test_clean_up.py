"""What is removed, and what is not."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from file_service import ANN, ROOM, FileService, open_file_service, stream

from chat4all_core.app.clean_up_files import MIN_AGE
from chat4all_core.app.create_upload import NewFile
from chat4all_core.app.write_upload import Chunk, Write
from chat4all_core.domain.errors import RefusedError
from chat4all_core.domain.file import object_key
from chat4all_core.domain.ids import FileId
from chat4all_core.domain.timestamp import SECOND
from chat4all_core.ports.object_store import StoreUpload

DATA = bytes(200)
DAY = 86_400


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FileService]:
    async with open_file_service(tmp_path) as opened:
        yield opened


def stored(folder: Path) -> list[str]:
    """Every file in the folder of objects and uploads."""
    return sorted(name for _, _, names in os.walk(folder / "files") for name in names)


async def test_an_expired_upload_is_removed(service: FileService, tmp_path: Path) -> None:
    """Its bytes go, then its record; doing it again, or at the same time, changes nothing."""
    upload, _ = await service.create(ANN, NewFile(ROOM, "a", size=200))
    await service.write(ANN, Write(upload.upload_id, 0), stream(DATA[:100]))
    await service.clean_up()
    assert stored(tmp_path) == ["content"]
    service.clock.advance(DAY + 1)
    await asyncio.gather(*(service.clean_up() for _ in range(3)))
    assert stored(tmp_path) == []
    assert await service.engine.files.get_file(upload.file_id) is None
    service.clock.advance(DAY + 1)
    await service.clean_up()
    assert await service.engine.files.get_upload(upload.upload_id) is None


async def test_an_upload_under_way_is_left_alone(service: FileService) -> None:
    """Cleaning up while bytes arrive takes nothing away from them."""
    upload, _ = await service.create(ANN, NewFile(ROOM, "a", size=200))

    async def cleaned_meanwhile() -> AsyncIterator[Chunk]:
        for start in range(0, 200, 20):
            yield Chunk(DATA[start : start + 20])
            service.clock.advance(DAY / 3)
            await service.clean_up()

    _, file = await service.write(ANN, Write(upload.upload_id, 0), cleaned_meanwhile())
    assert file is not None
    assert await service.bytes_of(file) == DATA


async def test_files_stay_and_their_uploads_are_forgotten(service: FileService, tmp_path: Path) -> None:
    """A file lives on when the record of its upload is removed."""
    file = await service.upload_file(ANN, NewFile(ROOM, "a", size=200), stream(DATA))
    service.clock.advance(DAY + 1)
    done = await service.clean_up()
    assert done.uploads_forgotten == 1
    assert await service.bytes_of(await service.read.get(ANN, file.file_id)) == DATA


async def test_orphans_are_removed_when_they_are_old(service: FileService, tmp_path: Path) -> None:
    """Objects and uploads without a record go, but not those that may still get one; strangers' files stay."""
    objects = service.objects
    orphan = StoreUpload(object_key(FileId("orphan")), await objects.begin(object_key(FileId("orphan")), 64), 64)
    made = StoreUpload(object_key(FileId("made")), await objects.begin(object_key(FileId("made")), 64), 64)
    await objects.complete(made, [], 0)
    await objects.put_tail(orphan, 1, [b"x"])
    (tmp_path / "files" / "uploads" / "lost+found").mkdir()
    # The store's clock is the machine's.
    newest = max(entry.stat().st_mtime_ns // 1_000 for entry in (tmp_path / "files").rglob("*"))
    service.clock.now = type(service.clock.now)(newest + MIN_AGE - SECOND)
    await service.clean_up()
    assert len(stored(tmp_path)) == 2
    service.clock.advance(2)
    done = await service.clean_up()
    assert (done.leftovers_removed, stored(tmp_path)) == (2, [])
    assert (tmp_path / "files" / "uploads" / "lost+found").exists()


async def test_a_deleted_file_is_removed(service: FileService, tmp_path: Path) -> None:
    """Its bytes go at once, and can't be had any more."""
    file = await service.upload_file(ANN, NewFile(ROOM, "a", size=200), stream(DATA))
    for _ in range(2):
        await service.delete(ANN, file.file_id)
    assert stored(tmp_path) == []
    with pytest.raises(RefusedError, match="deleted"):
        await service.read.available(ANN, file.file_id)
