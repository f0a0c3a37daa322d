"""FileStore: records of files and uploads, each change by whoever holds the upload."""

import asyncio
import uuid
from dataclasses import replace

from engine_under_test import EngineUnderTest

from chat4all_core.domain.file import File, FileState
from chat4all_core.domain.ids import ConversationId, FileId, ParticipantId, UploadId, UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.domain.upload import Holding, Part, Progress, Upload, UploadState
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.file_store import Admission, FileStore, Quota

NOW = Timestamp(1_700_000_000 * SECOND)
LATER = Timestamp(NOW + 3_600 * SECOND)
AMPLE = Quota(1 << 60, 1_000)
PART = 1_000


def unique() -> str:
    """An id that nobody has."""
    return str(uuid.uuid4())


def new_user() -> UserId:
    """Somebody without files."""
    return UserId(ParticipantId(unique()))


def new_upload(owner: UserId, room: str = "", size: int | None = None) -> tuple[File, Upload]:
    """A file and its upload."""
    file_id, conversation_id = FileId(unique()), ConversationId(room or unique())
    file = File(file_id, conversation_id, owner, "résumé.pdf", "application/pdf", NOW)
    return file, Upload(UploadId(unique()), file_id, conversation_id, owner, "store/upload", PART, size, "ab", LATER)


async def begun(files: FileStore, owner: UserId, room: str = "", size: int | None = None) -> tuple[File, Upload]:
    """The same, recorded and held."""
    file, upload = new_upload(owner, room, size)
    assert await files.create(file, upload, AMPLE) is Admission.ADMITTED
    held = await files.take(upload.upload_id, 0, LATER, declared_size=size, direct=False)
    assert held is not None
    return file, held


async def finished(files: FileStore, owner: UserId, room: str, size: int) -> File:
    """A file that is AVAILABLE."""
    file, upload = await begun(files, owner, room, size)
    file = replace(file, state=FileState.AVAILABLE, size=size, sha256="cd", sha256_verified=True)
    assert await files.finish(upload.upload_id, upload.epoch, file, LATER)
    return file


async def test_records_are_read_as_they_were_written(under_test: EngineUnderTest) -> None:
    """A file and its upload come back, also when the engine is opened again; unknown ones are None."""
    file, upload = new_upload(new_user(), size=5 << 40)
    async with under_test.open() as engine:
        assert await engine.files.create(file, upload, AMPLE) is Admission.ADMITTED
    async with under_test.open() as engine:
        assert await engine.files.get_file(file.file_id) == file
        assert await engine.files.get_upload(upload.upload_id) == upload
        assert await engine.files.get_file(FileId(unique())) is None
        assert await engine.files.get_upload(UploadId(unique())) is None


async def test_one_of_many_takes_an_upload(engine: Engine) -> None:
    """Of those who know the same epoch one becomes the holder; the next one needs the new epoch."""
    files = engine.files
    file, upload = new_upload(new_user())
    await files.create(file, upload, AMPLE)
    takes = [files.take(upload.upload_id, 0, LATER, declared_size=9, direct=True) for _ in range(10)]
    (held,) = [taken for taken in await asyncio.gather(*takes) if taken is not None]
    assert held == replace(upload, epoch=1, declared_size=9, direct=True, holding=Holding.NOTHING)
    assert (await files.take(upload.upload_id, 1, LATER, declared_size=9, direct=True)) == replace(held, epoch=2)


async def test_what_the_holder_does_is_known(engine: Engine) -> None:
    """Whoever takes an upload is writing, and may be asked to end while it is; only the holder's word counts."""
    _, upload = await begun(engine.files, new_user())

    async def told(holding: Holding, epoch: int = 1) -> tuple[bool, Holding]:
        done = await engine.files.set_holding(upload.upload_id, epoch, holding)
        now = await engine.files.get_upload(upload.upload_id)
        assert now is not None
        return done, now.holding

    assert upload.holding is Holding.WRITING
    assert await told(Holding.NOTHING, epoch=0) == (False, Holding.WRITING)
    assert await told(Holding.ASKED) == (True, Holding.ASKED)
    assert await told(Holding.ENDING) == (True, Holding.ENDING)
    assert await told(Holding.ASKED) == (False, Holding.ENDING)
    assert await told(Holding.NOTHING) == (True, Holding.NOTHING)
    assert await told(Holding.ASKED) == (False, Holding.NOTHING)


async def test_progress_is_the_holders_alone(engine: Engine) -> None:
    """Who has lost the upload records nothing, and learns it."""
    files = engine.files
    _, held = await begun(files, new_user())
    first = Progress(2, 10, "tail", b"\0state", [Part(1, PART, "a"), Part(2, PART, "b")])
    assert await files.commit(held.upload_id, held.epoch, first, LATER, AMPLE) is Admission.ADMITTED
    other = await files.take(held.upload_id, held.epoch, LATER, declared_size=None, direct=False)
    assert other == replace(held, parts=2, tail_size=10, tail_tag="tail", hash_state=b"\0state", epoch=held.epoch + 1)
    late = Progress(3, 0, "", b"", [Part(3, PART, "z")])
    assert await files.commit(held.upload_id, held.epoch, late, LATER, AMPLE) is Admission.LOST
    assert await files.get_upload(held.upload_id) == other
    assert await files.parts(held.upload_id) == first.new_parts


async def test_sealing_declares_the_size(engine: Engine) -> None:
    """With its last part an upload has its size; a part that is recorded again is replaced."""
    files = engine.files
    _, held = await begun(files, new_user())
    for tag in ("old", "new"):
        progress = Progress(0, 10, "", b"", [Part(1, 10, tag)], sealed=True)
        assert await files.commit(held.upload_id, held.epoch, progress, LATER, AMPLE) is Admission.ADMITTED
    assert await files.parts(held.upload_id) == [Part(1, 10, "new")]
    upload = await files.get_upload(held.upload_id)
    assert upload is not None
    assert (upload.declared_size, upload.is_whole) == (10, True)


async def test_finishing_is_once(engine: Engine) -> None:
    """The holder makes the file AVAILABLE; nobody finishes, closes or takes it afterwards."""
    files = engine.files
    file, held = await begun(files, new_user())
    file = replace(file, state=FileState.AVAILABLE, size=7, sha256="cd", sha256_verified=True)
    assert not await files.finish(held.upload_id, held.epoch + 1, file, LATER)
    assert await files.finish(held.upload_id, held.epoch, file, LATER)
    assert await files.get_file(file.file_id) == file
    assert not await files.finish(held.upload_id, held.epoch, file, LATER)
    assert not await files.close(held.upload_id, held.epoch)
    assert await files.take(held.upload_id, held.epoch, LATER, declared_size=None, direct=False) is None


async def test_closing_shuts_the_holder_out(engine: Engine) -> None:
    """A closed upload takes no progress; once cleaned, its file is forgotten, and later it is itself."""
    files = engine.files
    file, held = await begun(files, new_user())
    assert not await files.close(held.upload_id, held.epoch - 1)
    assert await files.close(held.upload_id, held.epoch)
    assert await files.commit(held.upload_id, held.epoch, Progress(1, 0, "", b"", []), LATER, AMPLE) is Admission.LOST
    assert not await files.finish(held.upload_id, held.epoch, file, LATER)
    await files.forget_upload(held.upload_id)
    for _ in range(2):
        await files.cleaned(held.upload_id, LATER)
    upload = await files.get_upload(held.upload_id)
    assert upload is not None
    assert upload.state is UploadState.CLEANED
    assert await files.get_file(file.file_id) is None
    await files.forget_upload(held.upload_id)
    assert await files.get_upload(held.upload_id) is None


async def test_due_uploads_are_found(engine: Engine) -> None:
    """Closed ones at once, open ones when they have expired, finished ones when their time is over."""
    files = engine.files
    _, open_ = await begun(files, new_user())
    _, closed = await begun(files, new_user())
    await files.close(closed.upload_id, closed.epoch)
    file, done = await begun(files, new_user())
    after = Timestamp(LATER + 10)
    await files.finish(done.upload_id, done.epoch, replace(file, state=FileState.AVAILABLE), after)
    mine = {open_.upload_id, closed.upload_id, done.upload_id}
    for now, due in ((NOW, {closed}), (LATER, {open_, closed}), (after, {open_, closed, done})):
        found = {upload.upload_id for upload in await files.due_uploads(now, 1_000)}
        assert found & mine == {upload.upload_id for upload in due}


async def test_quotas_count_files_and_uploads(engine: Engine) -> None:
    """Declared sizes, committed bytes and files count; closed uploads and deleted files do not."""
    files, owner = engine.files, new_user()
    quota = Quota(1_000, 3)
    file = await finished(files, owner, "", 300)
    _, declared = await begun(files, owner, size=500)
    assert await files.usage(owner) == 800
    assert await files.create(*new_upload(owner, size=201), quota) is Admission.OVER_BYTES
    _, unknown = await begun(files, owner)
    progress = Progress(0, 201, "t", b"", [])
    assert await files.commit(unknown.upload_id, unknown.epoch, progress, LATER, quota) is Admission.OVER_BYTES
    progress = replace(progress, tail_size=200)
    assert await files.commit(unknown.upload_id, unknown.epoch, progress, LATER, quota) is Admission.ADMITTED
    assert await files.usage(owner) == 1_000
    assert await files.create(*new_upload(owner, size=0), quota) is Admission.ADMITTED
    assert await files.create(*new_upload(owner, size=0), quota) is Admission.OVER_UPLOADS
    await files.close(declared.upload_id, declared.epoch)
    await files.delete_file(file.file_id)
    assert await files.usage(owner) == 200


async def test_files_are_listed_newest_first(engine: Engine) -> None:
    """Pages of AVAILABLE files, whatever was deleted; those under way and of other conversations are not there."""
    files, owner, room = engine.files, new_user(), unique()
    made = [await finished(files, owner, room, n) for n in range(5)]
    await begun(files, owner, room)
    await finished(files, owner, unique(), 1)
    await files.delete_file(made[2].file_id)
    first = await files.list_files(ConversationId(room), None, 2)
    rest = await files.list_files(ConversationId(room), first[-1].position, 10)
    assert [listed.file for listed in (*first, *rest)] == [made[4], made[3], made[1], made[0]]


async def test_deleted_files_wait_for_removal(engine: Engine) -> None:
    """Deleting is for AVAILABLE files, and their objects are due until they are gone."""
    files = engine.files
    file = await finished(files, new_user(), "", 1)
    pending, _ = await begun(files, new_user())
    for file_id in (file.file_id, file.file_id, pending.file_id):
        await files.delete_file(file_id)
    states = await files.file_states([file.file_id, pending.file_id, FileId(unique())])
    assert states == {file.file_id: FileState.DELETED, pending.file_id: FileState.PENDING}
    assert file.file_id in await files.removable_files(1_000)
    await files.object_removed(file.file_id)
    assert file.file_id not in await files.removable_files(1_000)
    assert not await files.file_states([])
