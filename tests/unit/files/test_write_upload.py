"""Writing uploads, and going on with them."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import google_crc32c
import pytest
from file_service import ANN, BEN, EVE, FINISH, OTHER_ROOM, ROOM, FileService, open_file_service, stream

from chat4all_core.adapters.content.content_hasher import HashlibContentHasher
from chat4all_core.app.create_upload import NewFile
from chat4all_core.app.file_policy import FilePolicy
from chat4all_core.app.write_upload import Chunk, Write
from chat4all_core.domain.errors import Reason, RefusedError
from chat4all_core.domain.file import FileState
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.upload import Upload
from chat4all_core.ports.file_store import Quota

DATA = bytes(range(256)) * 2  # eight parts of 64 bytes


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[FileService]:
    async with open_file_service(tmp_path) as opened:
        yield opened


async def begin(service: FileService, size: int | None = len(DATA), **fields: str) -> Upload:
    upload, _ = await service.create(ANN, NewFile(ROOM, fields.pop("filename", "a.bin"), size=size, **fields))
    return upload


async def refused(work: Awaitable[object]) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        await work
    return caught.value


@pytest.mark.parametrize("piece", [1, 7, 63, 64, 65, 200, 512])
async def test_the_last_byte_finishes(service: FileService, piece: int) -> None:
    """An upload of declared size, in chunks of any size, becomes a file with the right bytes and sum."""
    upload = await begin(service)
    pieces = [DATA[i : i + piece] for i in range(0, len(DATA), piece)]
    after, file = await service.write(ANN, Write(upload.upload_id, 0), stream(*pieces))
    assert file is not None
    assert (file.state, file.size, file.sha256) == (FileState.AVAILABLE, 512, hashlib.sha256(DATA).hexdigest())
    assert (after.committed_size, await service.bytes_of(file)) == (512, DATA)


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 130])
async def test_sizes_around_parts(service: FileService, size: int) -> None:
    """Files of no bytes, of less than a part, and of parts and a rest."""
    upload = await begin(service, size)
    _, file = await service.write(ANN, Write(upload.upload_id, 0), stream(DATA[:size]))
    assert file is not None
    assert await service.bytes_of(file) == DATA[:size]
    assert file.sha256 == hashlib.sha256(DATA[:size]).hexdigest()


async def test_the_end_of_a_stream_finishes_nothing(service: FileService) -> None:
    """Without a declared size, an upload stays open until it is told that all is there."""
    upload = await begin(service, None)
    after, file = await service.write(ANN, Write(upload.upload_id, 0), stream(DATA[:100]))
    assert (after.committed_size, file) == (100, None)
    _, file = await service.write(ANN, Write(upload.upload_id, 100), stream(FINISH))
    assert file is not None
    assert await service.bytes_of(file) == DATA[:100]


async def test_the_size_may_be_told_later(service: FileService) -> None:
    """An upload of unknown size takes its size with a write, once."""
    upload = await begin(service, None)
    await service.write(ANN, Write(upload.upload_id, 0, total_size=200), stream(DATA[:100]))
    error = await refused(service.write(ANN, Write(upload.upload_id, 100, total_size=300), stream()))
    assert error.reason is Reason.FIELD_INVALID
    _, file = await service.write(ANN, Write(upload.upload_id, 100), stream(DATA[100:200]))
    assert file is not None


@pytest.mark.parametrize("cut", range(0, 513, 37))
async def test_a_cut_keeps_what_arrived(service: FileService, cut: int) -> None:
    """Whatever came before a cut is committed, and the rest may follow; the cut itself comes out."""
    upload = await begin(service)
    with pytest.raises(ConnectionResetError):
        await service.write(ANN, Write(upload.upload_id, 0), stream(DATA[:cut], cut=ConnectionResetError()))
    now, _ = await service.get_upload(ANN, upload.upload_id)
    assert now.committed_size == cut
    _, file = await service.write(ANN, Write(upload.upload_id, cut), stream(DATA[cut:]))
    assert file is not None
    assert await service.bytes_of(file) == DATA
    assert file.sha256 == hashlib.sha256(DATA).hexdigest()


async def test_cancellation_keeps_what_arrived(service: FileService) -> None:
    """A call that is cancelled in the middle commits its bytes first."""
    upload = await begin(service)
    arrived = asyncio.Event()

    async def hanging() -> AsyncIterator[Chunk]:
        yield Chunk(DATA[:150])
        arrived.set()
        await asyncio.Event().wait()

    call = asyncio.create_task(service.write(ANN, Write(upload.upload_id, 0), hanging()))
    await arrived.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    now, _ = await service.get_upload(ANN, upload.upload_id)
    assert now.committed_size == 150


async def test_an_overlap_is_passed_over(service: FileService) -> None:
    """A write may begin before the committed size; chunks that straddle it are taken in part."""
    upload = await begin(service)
    await service.write(ANN, Write(upload.upload_id, 0), stream(DATA[:100]))
    _, file = await service.write(ANN, Write(upload.upload_id, 30), stream(DATA[30:50], DATA[50:140], DATA[140:]))
    assert file is not None
    assert await service.bytes_of(file) == DATA


async def test_a_gap_is_refused_with_the_right_offset(service: FileService) -> None:
    """An offset beyond the committed size is OUT_OF_RANGE and tells where to go on."""
    upload = await begin(service)
    await service.write(ANN, Write(upload.upload_id, 0), stream(DATA[:100]))
    error = await refused(service.write(ANN, Write(upload.upload_id, 101), stream(DATA[101:])))
    assert (error.reason, error.metadata["committed_size"]) == (Reason.OFFSET_BEYOND_COMMITTED, "100")
    error = await refused(service.write(ANN, Write(upload.upload_id, -1), stream(DATA)))
    assert error.reason is Reason.FIELD_INVALID


async def test_a_chunk_may_name_its_offset(service: FileService) -> None:
    """A later chunk that names another offset than its own is refused, and what came before it is kept."""
    upload = await begin(service)
    chunks = stream(Chunk(DATA[:10], offset=0), Chunk(DATA[10:20], offset=10), Chunk(DATA[30:40], offset=30))
    error = await refused(service.write(ANN, Write(upload.upload_id, 0), chunks))
    assert (error.reason, error.metadata["committed_size"]) == (Reason.OFFSET_BEYOND_COMMITTED, "20")


async def test_a_corrupt_chunk_is_refused_alone(service: FileService) -> None:
    """A chunk with another CRC-32C is refused; everything before it is kept."""
    upload = await begin(service)
    good = Chunk(DATA[:100], google_crc32c.value(DATA[:100]))
    bad = Chunk(DATA[100:200], google_crc32c.value(DATA[100:200]) ^ 1)
    error = await refused(service.write(ANN, Write(upload.upload_id, 0), stream(good, bad)))
    assert (error.reason, error.metadata["committed_size"]) == (Reason.CHUNK_CORRUPT, "100")


async def test_a_corrupt_overlap_is_refused(service: FileService) -> None:
    """Bytes that are passed over are checked all the same."""
    upload = await begin(service)
    await service.write(ANN, Write(upload.upload_id, 0), stream(DATA[:100]))
    bad = Chunk(DATA[:50], google_crc32c.value(DATA[:50]) ^ 1)
    assert (await refused(service.write(ANN, Write(upload.upload_id, 0), stream(bad)))).reason is Reason.CHUNK_CORRUPT


async def test_chunks_of_no_bytes_do_nothing(service: FileService) -> None:
    """Empty chunks anywhere in a stream change nothing."""
    upload = await begin(service)
    _, file = await service.write(ANN, Write(upload.upload_id, 0), stream(b"", DATA[:300], b"", DATA[300:], b""))
    assert file is not None
    assert await service.bytes_of(file) == DATA


async def test_more_than_declared_is_refused(service: FileService) -> None:
    """A chunk that goes beyond the declared size is refused, and the file is not made."""
    upload = await begin(service, 100)
    for chunks in (stream(DATA[:101]), stream(DATA[:100], DATA[100:101])):
        error = await refused(service.write(ANN, Write(upload.upload_id, 0), chunks))
        assert error.reason is Reason.SIZE_EXCEEDED
    _, file = await service.get_upload(ANN, upload.upload_id)
    assert file.state is FileState.PENDING


async def test_less_than_declared_is_not_finished(service: FileService) -> None:
    """Finishing before the declared size is refused; the upload may go on."""
    upload = await begin(service)
    error = await refused(service.write(ANN, Write(upload.upload_id, 0), stream(DATA[:100], FINISH)))
    assert (error.reason, error.metadata["committed_size"]) == (Reason.UPLOAD_INCOMPLETE, "100")
    _, file = await service.write(ANN, Write(upload.upload_id, 100), stream(DATA[100:]))
    assert file is not None


async def test_finish_stands_alone_and_last(service: FileService) -> None:
    """A message that finishes has no bytes, and none follows it: a cut body must never look like a whole one."""
    for chunks in (stream(Chunk(DATA[:10], finish=True)), stream(DATA[:10], FINISH, DATA[10:20])):
        upload = await begin(service, None)
        error = await refused(service.write(ANN, Write(upload.upload_id, 0), chunks))
        assert error.reason is Reason.FIELD_INVALID


async def test_another_sum_is_refused(service: FileService) -> None:
    """A whole with another SHA-256 than declared closes the upload, and leaves no file."""
    upload = await begin(service, sha256="0" * 64)
    error = await refused(service.write(ANN, Write(upload.upload_id, 0), stream(DATA)))
    assert (error.reason, error.metadata["sha256"]) == (Reason.SHA256_MISMATCH, hashlib.sha256(DATA).hexdigest())
    assert (await refused(service.get_upload(ANN, upload.upload_id))).reason is Reason.UPLOAD_CLOSED


async def test_a_type_that_is_not_there_is_refused(service: FileService) -> None:
    """A program that is said to be an image closes the upload."""
    upload = await begin(service, mime_type="image/png")
    error = await refused(service.write(ANN, Write(upload.upload_id, 0), stream(b"MZ" + DATA[2:])))
    assert error.reason is Reason.MIME_TYPE_MISMATCH


async def test_a_missing_type_is_detected(service: FileService) -> None:
    """Without a declared type, the first bytes tell it, and otherwise it is application/octet-stream."""
    for start, expected in ((b"\x89PNG\r\n\x1a\n", "image/png"), (b"????????", "application/octet-stream")):
        upload = await begin(service)
        _, file = await service.write(ANN, Write(upload.upload_id, 0), stream(start + DATA[8:]))
        assert file is not None
        assert file.mime_type == expected


async def test_writing_to_a_finished_upload_returns_the_file(service: FileService) -> None:
    """Whoever did not hear that the upload was finished learns it by writing again."""
    upload = await begin(service)
    _, file = await service.write(ANN, Write(upload.upload_id, 0), stream(DATA))
    assert await service.write(ANN, Write(upload.upload_id, 400), stream(DATA[400:])) == (
        (await service.get_upload(ANN, upload.upload_id))[0],
        file,
    )


async def test_a_second_writer_takes_over(service: FileService) -> None:
    """The first writer is refused with ABORTED and its bytes are kept; the second goes on from there."""
    upload = await begin(service)
    arrived = asyncio.Event()

    async def hanging() -> AsyncIterator[Chunk]:
        yield Chunk(DATA[:150])
        arrived.set()
        await asyncio.Event().wait()

    first = asyncio.create_task(service.write(ANN, Write(upload.upload_id, 0), hanging()))
    await arrived.wait()
    _, file = await service.write(ANN, Write(upload.upload_id, 150), stream(DATA[150:]))
    assert file is not None
    assert await service.bytes_of(file) == DATA
    error = await refused(first)
    assert (error.reason, error.metadata["committed_size"]) == (Reason.UPLOAD_TAKEN_OVER, "150")


async def test_a_second_writer_of_another_process_takes_over(service: FileService) -> None:
    """A writer that another process has taken the upload from records nothing any more."""
    upload = await begin(service)
    other = FileService(service.engine, service.objects, service.clock)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow() -> AsyncIterator[Chunk]:
        yield Chunk(DATA[:10])
        arrived.set()
        await go_on.wait()
        yield Chunk(DATA[10:300])

    first = asyncio.create_task(service.write(ANN, Write(upload.upload_id, 0), slow()))
    await arrived.wait()
    after, _ = await other.write(ANN, Write(upload.upload_id, 0), stream(DATA[:200]))
    go_on.set()
    assert (await refused(first)).reason is Reason.UPLOAD_TAKEN_OVER
    known, _ = await other.get_upload(ANN, upload.upload_id)
    assert (known.epoch, known.committed_size) == (after.epoch, after.committed_size) == (2, 200)


@pytest.mark.parametrize("stored", [True, False])
async def test_another_process_goes_on_with_the_sum(tmp_path: Path, stored: bool) -> None:
    """After a restart the sum is right: from its stored state, or by reading the file back where that can't be had."""
    options = {} if stored else {"hasher": HashlibContentHasher()}
    async with open_file_service(tmp_path, **options) as service:
        upload = await begin(service)
        await service.write(ANN, Write(upload.upload_id, 0), stream(DATA[:100]))
    async with open_file_service(tmp_path, **options) as service:
        _, file = await service.write(ANN, Write(upload.upload_id, 100), stream(DATA[100:]))
        assert file is not None
        assert file.sha256 == hashlib.sha256(DATA).hexdigest()


@pytest.mark.parametrize(
    ("caller", "known", "reason"),
    [
        (ANN, False, Reason.UPLOAD_NOT_FOUND),
        (BEN, True, Reason.NOT_FILE_OWNER),
        (EVE, True, Reason.NOT_A_PARTICIPANT),
    ],
)
async def test_uploads_are_for_those_who_began_them(
    service: FileService, caller: UserId, known: bool, reason: Reason
) -> None:
    """Whoever did not begin an upload is told whether that is for being no participant, or another one."""
    upload_id = (await begin(service)).upload_id if known else "nothing"
    for work in (
        service.get_upload(caller, upload_id),
        service.cancel(caller, upload_id),
        service.write(caller, Write(upload_id, 0), stream(DATA)),
        service.direct.links(caller, upload_id, 0, 0),
        service.direct.complete(caller, upload_id),
    ):
        assert (await refused(work)).reason is reason


async def test_a_cancelled_upload_is_over(service: FileService, tmp_path: Path) -> None:
    """Cancelling removes the bytes; writing is refused, and cancelling again changes nothing."""
    upload = await begin(service)
    await service.write(ANN, Write(upload.upload_id, 0), stream(DATA[:100]))
    await service.cancel(ANN, upload.upload_id)
    await service.cancel(ANN, upload.upload_id)
    assert not list((tmp_path / "files" / "uploads").iterdir())
    error = await refused(service.write(ANN, Write(upload.upload_id, 100), stream(DATA[100:])))
    assert error.reason is Reason.UPLOAD_CLOSED


async def test_an_expired_upload_is_over(service: FileService) -> None:
    """A day after its last byte an upload can't be gone on with; until then each byte gives it another day."""
    upload = await begin(service)
    service.clock.advance(86_399)
    await service.write(ANN, Write(upload.upload_id, 0), stream(DATA[:100]))
    service.clock.advance(86_399)
    assert (await service.get_upload(ANN, upload.upload_id))[0].committed_size == 100
    service.clock.advance(2)
    error = await refused(service.write(ANN, Write(upload.upload_id, 100), stream(DATA[100:])))
    assert error.reason is Reason.UPLOAD_CLOSED


async def test_bytes_and_uploads_are_limited(service: FileService) -> None:
    """A user may store so many bytes, declared or not, and have so many uploads open."""
    limited = FileService(service.engine, service.objects, service.clock, FilePolicy(Quota(1_000, 3)))
    first = await begin(limited, 600)
    assert (await refused(begin(limited, 500))).reason is Reason.QUOTA_EXCEEDED
    unknown = await begin(limited, None)
    error = await refused(limited.write(ANN, Write(unknown.upload_id, 0), stream(DATA)))
    assert (error.reason, error.metadata["committed_size"]) == (Reason.QUOTA_EXCEEDED, "384")
    await begin(limited, 0)
    assert (await refused(begin(limited, 0))).reason is Reason.TOO_MANY_UPLOADS
    await limited.cancel(ANN, first.upload_id)
    await begin(limited, 500)


async def test_a_file_may_be_so_large(service: FileService) -> None:
    """A declared size above the limit is refused, and so are bytes above it."""
    limited = FileService(service.engine, service.objects, service.clock, FilePolicy(Quota(1_000, 3), 100))
    assert (await refused(begin(limited, 101))).reason is Reason.SIZE_EXCEEDED
    upload = await begin(limited, None)
    assert (await refused(limited.write(ANN, Write(upload.upload_id, 0), stream(DATA)))).reason is Reason.SIZE_EXCEEDED


async def test_one_call_uploads_or_leaves_nothing(service: FileService, tmp_path: Path) -> None:
    """UploadFile answers with the file, or removes what it began."""
    file = await service.upload_file(ANN, NewFile(ROOM, "a", size=512), stream(DATA))
    assert await service.bytes_of(file) == DATA
    file = await service.upload_file(ANN, NewFile(ROOM, "a"), stream(DATA, FINISH))
    assert await service.bytes_of(file) == DATA
    for chunks, size in ((stream(DATA), None), (stream(DATA[:511]), 512)):
        error = await refused(service.upload_file(ANN, NewFile(ROOM, "a", size=size), chunks))
        assert error.reason is Reason.UPLOAD_INCOMPLETE
    with pytest.raises(ConnectionResetError):
        await service.upload_file(ANN, NewFile(ROOM, "a"), stream(DATA, cut=ConnectionResetError()))
    assert not list((tmp_path / "files" / "uploads").iterdir())


async def test_only_participants_upload(service: FileService) -> None:
    """A conversation takes files of its participants."""
    error = await refused(service.create(BEN, NewFile(OTHER_ROOM, "a")))
    assert error.reason is Reason.NOT_A_PARTICIPANT
