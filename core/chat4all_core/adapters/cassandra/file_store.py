"""Files and uploads on Cassandra.

The record of a file decides (`UploadChanges`); what leads to it - lists, sums, queues - is written in such an order
that a call that was cut short leaves too much there, which readers see by the record, and never too little.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence

from chat4all_core.adapters.cassandra.file_list import FileList
from chat4all_core.adapters.cassandra.file_records import FileRecords
from chat4all_core.adapters.cassandra.file_usage import FileUsage
from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.removable_files import RemovableFiles
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.adapters.cassandra.upload_changes import UploadChanges
from chat4all_core.adapters.cassandra.upload_queue import AT_ONCE, UploadQueue
from chat4all_core.domain.file import File, FileState
from chat4all_core.domain.ids import ConversationId, FileId, UploadId, UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.upload import Holding, Part, Progress, Upload, UploadState
from chat4all_core.ports.file_store import Admission, ListedFile, Quota

_CQL = {"name": "INSERT INTO uploads (upload_id, file_id) VALUES (?, ?)"}


class CassandraFileStore:
    """Implements FileStore. Files that become AVAILABLE at the same moment may be listed in either order."""

    def __init__(
        self,
        session: Session,
        queries: Mapping[str, Query],
        *,
        records: FileRecords,
        changes: UploadChanges,
        usage: FileUsage,
        lists: FileList,
        queue: UploadQueue,
        removable: RemovableFiles,
    ) -> None:
        self._session = session
        self._queries = queries
        self._records = records
        self._changes = changes
        self._usage = usage
        self._lists = lists
        self._queue = queue
        self._removable = removable

    @classmethod
    async def open(cls, session: Session) -> "CassandraFileStore":
        """With its statements prepared."""
        records = await FileRecords.open(session)
        return cls(
            session,
            await session.prepare(_CQL),
            records=records,
            changes=await UploadChanges.open(session),
            usage=await FileUsage.open(session, records),
            lists=await FileList.open(session, records),
            queue=await UploadQueue.open(session, records),
            removable=await RemovableFiles.open(session, records),
        )

    async def create(self, file: File, upload: Upload, quota: Quota) -> Admission:
        """See FileStore.create."""
        usage = await self._usage.of(upload.owner, besides=file.file_id)
        if usage.open_uploads >= quota.max_uploads:
            return Admission.OVER_UPLOADS
        if usage.bytes + (upload.declared_size or 0) > quota.max_bytes:
            return Admission.OVER_BYTES
        # The queue first: what never gets a record is removed by way of it.
        await self._queue.add(upload, upload.expires_at)
        await self._usage.begin(upload.owner, file.file_id)
        await self._session.execute(self._queries["name"].bind(upload.upload_id, file.file_id))
        await self._changes.create(file, upload)  # not applied: an earlier try was
        return Admission.ADMITTED

    async def get_upload(self, upload_id: UploadId) -> Upload | None:
        """See FileStore.get_upload."""
        found = await self._records.of_upload(upload_id)
        return None if found is None else found[1]

    async def get_file(self, file_id: FileId) -> File | None:
        """See FileStore.get_file."""
        record = await self._records.get(file_id)
        return None if record is None else record.file

    async def take(
        self, upload_id: UploadId, epoch: int, expires_at: Timestamp, *, declared_size: int | None, direct: bool
    ) -> Upload | None:
        """See FileStore.take."""
        held = await self._held(upload_id, epoch)
        if held is None:
            return None
        if expires_at < held.expires_at:
            await self._queue.add(held, expires_at)
        holder = str(uuid.uuid4())
        outcome = await self._changes.take(held, holder, expires_at, declared_size, direct=direct)
        if not outcome.applied and not outcome.uncertain:
            return None
        # What is recorded now: the holder before may have made progress until just then.
        record = await self._records.get(held.file_id)
        taken = None if record is None or record.holder != holder else record.upload
        return taken if taken is not None and taken.epoch == epoch + 1 else None

    async def set_holding(self, upload_id: UploadId, epoch: int, holding: Holding) -> bool:
        """See FileStore.set_holding."""
        held = await self._held(upload_id, epoch)
        return held is not None and (await self._changes.set_holding(held, holding)).applied

    async def commit(
        self, upload_id: UploadId, epoch: int, progress: Progress, expires_at: Timestamp, quota: Quota
    ) -> Admission:
        """See FileStore.commit."""
        held = await self._held(upload_id, epoch)
        if held is None:
            return Admission.LOST
        size = progress.parts * held.part_size + progress.tail_size
        if held.declared_size is None:
            others = await self._usage.of(held.owner, besides=held.file_id)
            if others.bytes + size > quota.max_bytes:
                return Admission.OVER_BYTES
        if expires_at < held.expires_at:
            await self._queue.add(held, expires_at)
        declared_size = size if progress.sealed else held.declared_size
        outcome = await self._changes.commit(held, progress, expires_at, declared_size)
        return Admission.ADMITTED if outcome.applied else Admission.LOST

    async def parts(self, upload_id: UploadId) -> Sequence[Part]:
        """See FileStore.parts."""
        file_id = await self._records.file_of(upload_id)
        return [] if file_id is None else await self._records.parts(file_id)

    async def finish(self, upload_id: UploadId, epoch: int, file: File, forget_at: Timestamp) -> bool:
        """See FileStore.finish."""
        held = await self._held(upload_id, epoch)
        if held is None:
            return False
        await self._queue.add(held, forget_at)
        position = await self._lists.add(file.conversation_id, file.file_id)
        outcome = await self._changes.finish(held, file, position, forget_at)
        if not outcome.applied:
            record = await self._records.get(held.file_id) if outcome.uncertain else None
            if record is None or record.position != position:
                await self._lists.remove(file.conversation_id, position)
                return False
        await self._usage.add(file)
        return True

    async def close(self, upload_id: UploadId, epoch: int) -> bool:
        """See FileStore.close."""
        held = await self._held(upload_id, epoch)
        if held is None:
            return False
        await self._queue.add(held, AT_ONCE)
        outcome = await self._changes.close(held)
        if not outcome.applied and not (outcome.uncertain and await self._is_closed(upload_id)):
            return False
        await self._queue.add(held, AT_ONCE)  # again: whoever looked in between has put it off
        await self._usage.end(held.owner, held.file_id)
        return True

    async def due_uploads(self, now: Timestamp, limit: int) -> Sequence[Upload]:
        """See FileStore.due_uploads."""
        return await self._queue.due(now, limit)

    async def cleaned(self, upload_id: UploadId, forget_at: Timestamp) -> None:
        """See FileStore.cleaned."""
        found = await self._records.of_upload(upload_id)
        if found is None or found[1].state is not UploadState.CLOSED:
            return
        upload = found[1]
        await self._queue.add(upload, forget_at)
        await self._changes.clean(upload.file_id, forget_at)
        await self._queue.remove(upload.file_id, AT_ONCE)

    async def forget_upload(self, upload_id: UploadId) -> None:
        """See FileStore.forget_upload."""
        found = await self._records.of_upload(upload_id)
        if found is None or found[1].state not in (UploadState.FINISHED, UploadState.CLEANED):
            return
        record, upload = found
        if record.file is not None and record.file.state is FileState.AVAILABLE:
            await self._usage.add(record.file)  # perhaps whoever finished it was cut short
        await self._changes.forget(upload)
        await self._queue.forget(upload, record.due_at)

    async def list_files(self, conversation_id: ConversationId, before: int | None, limit: int) -> Sequence[ListedFile]:
        """See FileStore.list_files."""
        return await self._lists.page(conversation_id, before, limit)

    async def delete_file(self, file_id: FileId) -> None:
        """See FileStore.delete_file."""
        record = await self._records.get(file_id)
        if record is None or record.file is None or record.file.state is FileState.PENDING:
            return
        if not record.object_removed:
            await self._removable.add(file_id)
        if record.file.state is FileState.AVAILABLE:
            await self._changes.delete(file_id)  # not applied: it is DELETED by now
        await self._lists.remove(record.file.conversation_id, record.position)
        await self._usage.remove(record.file)

    async def removable_files(self, limit: int) -> Sequence[FileId]:
        """See FileStore.removable_files."""
        return await self._removable.first(limit)

    async def object_removed(self, file_id: FileId) -> None:
        """See FileStore.object_removed."""
        record = await self._records.get(file_id)
        if record is not None and record.file is not None and record.file.state is FileState.DELETED:
            await self._changes.object_removed(file_id)
            await self._removable.remove(file_id)

    async def file_states(self, file_ids: Collection[FileId]) -> Mapping[FileId, FileState]:
        """See FileStore.file_states."""
        records = await self._records.read(file_ids)
        return {file_id: record.file.state for file_id, record in records.items() if record.file is not None}

    async def usage(self, owner: UserId) -> int:
        """See FileStore.usage."""
        return (await self._usage.of(owner)).bytes

    async def _held(self, upload_id: UploadId, epoch: int) -> Upload | None:
        upload = await self.get_upload(upload_id)
        return upload if upload is not None and upload.state is UploadState.OPEN and upload.epoch == epoch else None

    async def _is_closed(self, upload_id: UploadId) -> bool:
        upload = await self.get_upload(upload_id)
        return upload is not None and upload.state is UploadState.CLOSED
