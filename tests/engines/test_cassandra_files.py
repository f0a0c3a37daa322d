"""Files on Cassandra: what is left when a call is cut short, and what takes several transactions."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from engine_endpoints import engine_endpoints
from message_rows import new_conversation, user

from chat4all_core.adapters.cassandra.file_list import FileList
from chat4all_core.adapters.cassandra.file_records import FileRecords
from chat4all_core.adapters.cassandra.file_store import CassandraFileStore
from chat4all_core.adapters.cassandra.file_usage import FileUsage
from chat4all_core.adapters.cassandra.session import Session, open_session
from chat4all_core.adapters.cassandra.upload_changes import UploadChanges
from chat4all_core.adapters.cassandra.upload_queue import UploadQueue
from chat4all_core.config import CassandraSection
from chat4all_core.domain.file import File, FileState
from chat4all_core.domain.ids import FileId, UploadId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.domain.upload import Part, Progress, Upload, UploadState
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.file_store import Admission, Quota

pytestmark = pytest.mark.skipif("cassandra" not in engine_endpoints(), reason="no Cassandra: see `make test-engines`")
HOUR = 3_600 * SECOND
NOW = system_clock()
LATER = Timestamp(NOW + HOUR)
AMPLE = Quota(1 << 60, 1_000)


@pytest_asyncio.fixture
async def session(section: CassandraSection) -> AsyncIterator[Session]:
    """For one test."""
    async with open_session(section) as session:
        yield session


@pytest_asyncio.fixture
async def files(session: Session) -> CassandraFileStore:
    """The store."""
    return await CassandraFileStore.open(session)


def new_upload(size: int | None = None, expires_at: Timestamp = LATER) -> tuple[File, Upload]:
    """A file of somebody new, and its upload."""
    file_id, room, owner = FileId(str(uuid.uuid4())), new_conversation(), user(str(uuid.uuid4()))
    file = File(file_id, room, owner, "plan.pdf", "application/pdf", NOW)
    return file, Upload(UploadId(str(uuid.uuid4())), file_id, room, owner, "u", 1_000, size, "", expires_at)


async def begun(files: CassandraFileStore, size: int | None = None) -> tuple[File, Upload]:
    """The same, recorded."""
    file, upload = new_upload(size)
    assert await files.create(file, upload, AMPLE) is Admission.ADMITTED
    return file, upload


def available(file: File, size: int) -> File:
    """The file once all is there."""
    return replace(file, state=FileState.AVAILABLE, size=size, sha256="cd", sha256_verified=True)


async def test_thousands_of_parts_are_recorded_at_once(files: CassandraFileStore) -> None:
    """More parts than one transaction holds are committed, in order, and forgotten when the upload is finished."""
    file, upload = await begun(files, 2_500_000)
    parts = [Part(number, 1_000, f"{number:032x}") for number in range(1, 2_501)]
    progress = Progress(2_500, 0, "", b"", parts, sealed=True)
    assert await files.commit(upload.upload_id, 0, progress, LATER, AMPLE) is Admission.ADMITTED
    assert await files.parts(upload.upload_id) == parts
    assert await files.finish(upload.upload_id, 0, available(file, 2_500_000), LATER)
    assert await files.parts(upload.upload_id) == []
    assert await files.usage(file.owner) == 2_500_000


async def test_parts_count_with_the_last_of_them(files: CassandraFileStore, session: Session) -> None:
    """Of a commit that was cut short between its transactions, no part is given."""
    _, upload = await begun(files)
    parts = [Part(number, 1_000, "a") for number in range(1, 251)]
    changes = await UploadChanges.open(session)
    assert (await changes.commit(upload, Progress(0, 0, "", b"", parts), LATER, None)).applied
    assert await files.parts(upload.upload_id) == []
    progress = Progress(250, 0, "", b"", parts[200:])
    assert await files.commit(upload.upload_id, 0, progress, LATER, AMPLE) is Admission.ADMITTED
    assert await files.parts(upload.upload_id) == parts


async def test_a_file_counts_whoever_was_cut_short(files: CassandraFileStore, session: Session) -> None:
    """A file that is AVAILABLE by its record alone counts once, also after its upload was forgotten."""
    for forget in (False, True):
        file, upload = await begun(files, 700)
        position = await (await FileList.open(session, await FileRecords.open(session))).add(
            file.conversation_id, file.file_id
        )
        changes = await UploadChanges.open(session)
        assert (await changes.finish(upload, available(file, 700), position, LATER)).applied
        if forget:
            await files.forget_upload(upload.upload_id)
        assert [await files.usage(file.owner) for _ in range(2)] == [700, 700]
        assert [listed.file for listed in await files.list_files(file.conversation_id, None, 5)] == [
            available(file, 700)
        ]


async def test_what_comes_late_does_not_bring_a_size_back(files: CassandraFileStore, session: Session) -> None:
    """A size that is written after its file was deleted does not count."""
    file, upload = await begun(files)
    file = available(file, 300)
    assert await files.finish(upload.upload_id, 0, file, LATER)
    await files.delete_file(file.file_id)
    await (await FileUsage.open(session, await FileRecords.open(session))).add(file)
    assert await files.usage(file.owner) == 0


async def test_an_upload_without_a_record_vanishes(files: CassandraFileStore, session: Session) -> None:
    """What a creation that was cut short has left is removed when the upload would have expired."""
    file, upload = new_upload()
    records = await FileRecords.open(session)
    await (await UploadQueue.open(session, records)).add(upload, LATER)
    await (await FileUsage.open(session, records)).begin(file.owner, file.file_id)
    assert upload not in await files.due_uploads(LATER, 1_000)
    left = await session.prepare({"left": "SELECT file_id FROM uploads_by_owner WHERE owner = ?"})
    assert not await session.execute(left["left"].bind(file.owner))


async def test_an_upload_is_due_when_its_last_time_has_come(files: CassandraFileStore) -> None:
    """However often its time moves on, for days, an upload is due then, and not before."""
    _, upload = await begun(files)
    days = [Timestamp(LATER + day * 24 * HOUR) for day in range(5)]
    for until in days:
        progress = Progress(0, 1, "t", b"", [])
        assert await files.commit(upload.upload_id, 0, progress, until, AMPLE) is Admission.ADMITTED
    for when in days[:-1]:
        assert upload.upload_id not in {due.upload_id for due in await files.due_uploads(when, 1_000)}
    assert upload.upload_id in {due.upload_id for due in await files.due_uploads(days[-1], 1_000)}


async def test_a_closed_upload_is_due_though_its_entry_is_lost(files: CassandraFileStore, session: Session) -> None:
    """An upload that is CLOSED by its record alone is found when it would have expired."""
    _, upload = await begun(files)
    assert (await (await UploadChanges.open(session)).close(upload)).applied
    due = {found.upload_id: found.state for found in await files.due_uploads(LATER, 1_000)}
    assert due[upload.upload_id] is UploadState.CLOSED
    assert upload.upload_id in {found.upload_id for found in await files.due_uploads(NOW, 1_000)}


async def test_files_of_one_moment_have_places_of_their_own(files: CassandraFileStore, session: Session) -> None:
    """Files that are finished at once are all listed, page by page, also where a partition of the list ends."""
    room = new_conversation()
    first = "UPDATE file_positions SET last = 9990 WHERE conversation_id = ? IF last = NULL"
    query = (await session.prepare({"first": first}, idempotent=False))["first"]
    assert (await session.execute_conditional(query.bind(room))).applied
    uploads = [
        (replace(f, conversation_id=room), replace(u, conversation_id=room)) for f, u in map(new_upload, [1] * 20)
    ]
    for file, upload in uploads:
        assert await files.create(file, upload, AMPLE) is Admission.ADMITTED
    finishing = [files.finish(upload.upload_id, 0, available(file, 1), LATER) for file, upload in uploads]
    assert all(await asyncio.gather(*finishing))
    listed = list(await files.list_files(room, None, 7))
    while page := await files.list_files(room, listed[-1].position, 7):
        listed += page
    positions = [entry.position for entry in listed]
    assert positions == sorted(set(positions), reverse=True)
    assert {entry.file.file_id for entry in listed} == {file.file_id for file, _ in uploads}
