"""What the janitor removes from a bucket, and what it leaves: run again, by several servers at once, during uploads."""

import asyncio
import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from file_service import ANN, ROOM, FileService, stream
from s3_uploads import PART_SIZE, begin, make, open_service

from chat4all_core.adapters.s3.bucket import Bucket
from chat4all_core.app.clean_up_files import MIN_AGE, CleanUp
from chat4all_core.app.create_upload import NewFile
from chat4all_core.app.write_upload import Chunk, Write
from chat4all_core.config import S3Section
from chat4all_core.domain.file import File, object_key
from chat4all_core.domain.ids import FileId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.domain.upload import Upload
from chat4all_core.ports.clock import system_clock

DATA = random.Random(4).randbytes(2 * PART_SIZE + 1_000)
CHUNK = 1 << 20
DAY = 24 * 3_600
HOUR_AND_MORE = Timestamp(MIN_AGE + 60 * SECOND)


@pytest.fixture
async def service(s3_section: S3Section, tmp_path: Path) -> AsyncIterator[FileService]:
    """The use cases, whose clock shows the time of the store's."""
    async with open_service(s3_section, tmp_path) as opened:
        opened.clock.now = system_clock()
        yield opened


def stored(section: S3Section) -> list[str]:
    """Every object and every multipart upload of the bucket."""
    bucket = Bucket(section)
    try:
        names = [item.object_name for item in bucket.objects()] + [found.object_name for found in bucket.uploads()]
        return sorted(name or "" for name in names)
    finally:
        bucket.close()


async def half_done(service: FileService) -> Upload:
    """An upload of a part and a tail."""
    upload, _ = await service.create(ANN, NewFile(ROOM, "f", size=len(DATA)))
    with pytest.raises(ConnectionError):
        await service.write(ANN, Write(upload.upload_id, 0), stream(DATA[: PART_SIZE + 500], cut=ConnectionError()))
    return upload


async def clean_up_at_once(service: FileService) -> CleanUp:
    """As three servers do at the same time; what they did together."""
    total = CleanUp()
    for done in await asyncio.gather(*(service.clean_up() for _ in range(3))):
        total.uploads_expired += done.uploads_expired
        total.leftovers_removed += done.leftovers_removed
    return total


async def test_nothing_is_left_of_an_expired_upload(service: FileService, s3_section: S3Section) -> None:
    """Its parts, its tail and its record go, once; until then nothing is touched."""
    upload = await half_done(service)
    before = stored(s3_section)
    await clean_up_at_once(service)
    assert stored(s3_section) == before != []
    service.clock.advance(DAY + 1)
    assert (await clean_up_at_once(service)).uploads_expired == 1
    assert stored(s3_section) == []
    assert await service.engine.files.get_file(upload.file_id) is None
    assert await clean_up_at_once(service) == CleanUp()


async def test_an_upload_under_way_loses_nothing(service: FileService, s3_section: S3Section) -> None:
    """Cleaning up after every megabyte, with all that is stored looking old, takes nothing from an upload, nor from the
    file that comes of it."""
    upload, _ = await service.create(ANN, NewFile(ROOM, "f", size=len(DATA)))
    service.clock.now = Timestamp(service.clock.now + HOUR_AND_MORE)

    async def cleaned_meanwhile() -> AsyncIterator[Chunk]:
        for start in range(0, len(DATA), CHUNK):
            yield Chunk(DATA[start : start + CHUNK])
            await clean_up_at_once(service)

    _, file = await service.write(ANN, Write(upload.upload_id, 0), cleaned_meanwhile())
    assert file is not None
    await clean_up_at_once(service)
    assert await service.bytes_of(file) == DATA
    assert stored(s3_section) == [file.object_key]


async def test_what_has_no_record_goes_when_it_is_old(service: FileService, s3_section: S3Section) -> None:
    """Objects, multipart uploads and tails without a record are removed after an hour; what belongs to nobody of the
    platform's stays."""
    orphan = await begin(service.objects, object_key(FileId("orphan")))
    await service.objects.put_part(orphan, 1, [DATA[:PART_SIZE]])
    await service.objects.put_tail(orphan, 2, [b"x"])
    await make(service.objects, object_key(FileId("made")), b"abc")
    await make(service.objects, "others/thing", b"abc")
    before = stored(s3_section)
    service.clock.now = Timestamp(system_clock() - 600 * SECOND + MIN_AGE)
    await clean_up_at_once(service)
    assert stored(s3_section) == before
    service.clock.now = Timestamp(system_clock() + HOUR_AND_MORE)
    assert (await clean_up_at_once(service)).leftovers_removed >= 2
    assert stored(s3_section) == ["others/thing"]


async def test_deleted_files_go_though_their_deletion_was_cut_short(
    service: FileService, s3_section: S3Section
) -> None:
    """A file whose record alone was deleted, and an upload whose record alone was closed, leave nothing behind."""
    file: File = await service.upload_file(ANN, NewFile(ROOM, "f", size=3), stream(b"abc"))
    kept = await service.upload_file(ANN, NewFile(ROOM, "g", size=3), stream(b"def"))
    upload = await half_done(service)
    await service.engine.files.delete_file(file.file_id)
    known = await service.engine.files.get_upload(upload.upload_id)
    assert known is not None
    assert await service.engine.files.close(upload.upload_id, known.epoch)
    await clean_up_at_once(service)
    assert stored(s3_section) == [kept.object_key]
    assert await service.bytes_of(kept) == b"def"
