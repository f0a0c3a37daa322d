"""Reading the records of files, and of uploads by their own ids."""

from collections.abc import Collection, Mapping, Sequence

from chat4all_core.adapters.cassandra.file_rows import COLUMNS, FileRecord, record_from_row
from chat4all_core.adapters.cassandra.query import Query, is_key
from chat4all_core.adapters.cassandra.request_groups import key_groups
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.ids import FileId, UploadId
from chat4all_core.domain.upload import Part, Upload

_CQL = {
    "records": f"SELECT DISTINCT {', '.join(COLUMNS)} FROM files WHERE file_id IN ?",
    "parts": "SELECT number, part_bytes, tag, parts, tail_size, tail_tag FROM files WHERE file_id = ? AND number > 0",
    "file_of": "SELECT file_id FROM uploads WHERE upload_id = ?",
}


class FileRecords:
    """The rows that decide."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._queries = queries

    @classmethod
    async def open(cls, session: Session) -> "FileRecords":
        """With its statements prepared."""
        return cls(session, await session.prepare(_CQL))

    async def read(self, file_ids: Collection[FileId]) -> Mapping[FileId, FileRecord]:
        """Those that there are."""
        possible = [file_id for file_id in set(file_ids) if is_key(file_id)]
        answers = await self._session.execute_all(
            self._queries["records"].bind_for(key, group)
            for key, group in key_groups(self._session, possible, str.encode)
        )
        read = {row[0]: record_from_row(row) for rows in answers for row in rows}
        return {file_id: record for file_id, record in read.items() if record is not None}

    async def get(self, file_id: FileId) -> FileRecord | None:
        """One of them, or None."""
        return (await self.read([file_id])).get(file_id)

    async def of_upload(self, upload_id: UploadId) -> tuple[FileRecord, Upload] | None:
        """The record that has this upload, and the upload; None when there is no such upload."""
        file_id = await self.file_of(upload_id)
        record = None if file_id is None else await self.get(file_id)
        if record is None or record.upload is None or record.upload.upload_id != upload_id:
            return None
        return record, record.upload

    async def file_of(self, upload_id: UploadId) -> FileId | None:
        """The file of an upload, or None. The upload may be gone."""
        if not is_key(upload_id):
            return None
        rows = await self._session.execute(self._queries["file_of"].bind(upload_id))
        return rows[0][0] if rows else None

    async def parts(self, file_id: FileId) -> Sequence[Part]:
        """The committed parts, by number."""
        rows = await self._session.execute(self._queries["parts"].bind(file_id))
        # Many parts are stored in several steps, of which the last one commits them all.
        return [
            Part(number, size, tag)
            for number, size, tag, full, tail_size, tail_tag in rows
            if number <= full + (1 if tail_size and not tail_tag else 0)
        ]
