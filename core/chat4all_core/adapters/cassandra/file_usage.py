"""What users store.

A file is counted by its record while it is under way, and by a row of its own once it is AVAILABLE. Who counts puts
right what others left when they were cut short, so no number ever goes wrong for good.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from chat4all_core.adapters.cassandra.file_records import FileRecords
from chat4all_core.adapters.cassandra.file_rows import FileRecord, bucket_of
from chat4all_core.adapters.cassandra.query import Query, is_key
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.file import File, FileState
from chat4all_core.domain.ids import FileId, UserId
from chat4all_core.domain.upload import Upload, UploadState

_BUCKETS = 4  # can't be changed: rows would not be found any more

_CQL = {
    "under_way": "SELECT file_id FROM uploads_by_owner WHERE owner = ?",
    "begin": "INSERT INTO uploads_by_owner (owner, file_id) VALUES (?, ?)",
    "end": "DELETE FROM uploads_by_owner WHERE owner = ? AND file_id = ?",
    "sum": "SELECT sum(size) FROM file_sizes_by_owner WHERE owner = ? AND bucket = ?",
    "add": "INSERT INTO file_sizes_by_owner (owner, bucket, file_id, size) VALUES (?, ?, ?, ?) USING TIMESTAMP ?",
    "remove": "DELETE FROM file_sizes_by_owner USING TIMESTAMP ? WHERE owner = ? AND bucket = ? AND file_id = ?",
}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a user stores."""

    bytes: int
    open_uploads: int


class FileUsage:
    """Counts, and keeps what counting needs."""

    def __init__(self, session: Session, records: FileRecords, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._records = records
        self._queries = queries

    @classmethod
    async def open(cls, session: Session, records: FileRecords) -> "FileUsage":
        """With its statements prepared."""
        return cls(session, records, await session.prepare(_CQL))

    async def of(self, owner: UserId, besides: FileId | None = None) -> Usage:
        """What a user stores now, one file under way left out."""
        if not is_key(owner):
            return Usage(0, 0)
        rows = await self._session.execute(self._queries["under_way"].bind(owner))
        uploads = []
        for file_id, record in (await self._records.read([file_id for (file_id,) in rows])).items():
            if record.upload is None or record.upload.state is not UploadState.OPEN:
                await self._settle(owner, file_id, record)
            elif file_id != besides:
                uploads.append(record.upload)
        # After what was settled, which is counted here.
        sums = await self._session.execute_all(self._queries["sum"].bind(owner, b) for b in range(_BUCKETS))
        available = sum(size or 0 for ((size,),) in sums)
        return Usage(available + sum(map(_counted, uploads)), len(uploads))

    async def begin(self, owner: UserId, file_id: FileId) -> None:
        """Have a file looked at whenever its owner's are counted."""
        await self._session.execute(self._queries["begin"].bind(owner, file_id))

    async def end(self, owner: UserId, file_id: FileId) -> None:
        """The upload is over without a file."""
        await self._session.execute(self._queries["end"].bind(owner, file_id))

    async def add(self, file: File) -> None:
        """The file is AVAILABLE."""
        bucket = bucket_of(file.file_id, _BUCKETS)
        await self._session.execute(
            self._queries["add"].bind(file.owner, bucket, file.file_id, file.size, file.created_at)
        )
        await self.end(file.owner, file.file_id)

    async def remove(self, file: File) -> None:
        """The file was AVAILABLE, and never will be again."""
        bucket = bucket_of(file.file_id, _BUCKETS)
        await self._session.execute(self._queries["remove"].bind(file.created_at + 1, file.owner, bucket, file.file_id))

    async def _settle(self, owner: UserId, file_id: FileId, record: FileRecord) -> None:
        if record.file is not None and record.file.state is FileState.AVAILABLE:
            await self.add(record.file)
        else:
            await self.end(owner, file_id)


def _counted(upload: Upload) -> int:
    return max(upload.declared_size or 0, upload.committed_size)
