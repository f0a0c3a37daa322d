"""Deleted files whose bytes have to be removed."""

from collections.abc import Mapping, Sequence

from chat4all_core.adapters.cassandra.file_records import FileRecords
from chat4all_core.adapters.cassandra.file_rows import FileRecord, bucket_of
from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.file import FileState
from chat4all_core.domain.ids import FileId

_BUCKETS = 8  # can't be changed: rows would not be found any more

_CQL = {
    "select": "SELECT file_id FROM removable_files WHERE bucket = ? LIMIT ?",
    "add": "INSERT INTO removable_files (bucket, file_id) VALUES (?, ?)",
    "remove": "DELETE FROM removable_files WHERE bucket = ? AND file_id = ?",
}


class RemovableFiles:
    """Those that are being deleted, in no order. The record says which are."""

    def __init__(self, session: Session, records: FileRecords, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._records = records
        self._queries = queries

    @classmethod
    async def open(cls, session: Session, records: FileRecords) -> "RemovableFiles":
        """With its statements prepared."""
        return cls(session, records, await session.prepare(_CQL))

    async def add(self, file_id: FileId) -> None:
        """Have the bytes removed once the file is DELETED. To be called before it is."""
        await self._session.execute(self._queries["add"].bind(bucket_of(file_id, _BUCKETS), file_id))

    async def remove(self, file_id: FileId) -> None:
        """The bytes are gone, and the record says so."""
        await self._session.execute(self._queries["remove"].bind(bucket_of(file_id, _BUCKETS), file_id))

    async def first(self, limit: int) -> Sequence[FileId]:
        """Up to `limit` of those whose bytes are not gone."""
        answers = await self._session.execute_all(
            self._queries["select"].bind(bucket, limit) for bucket in range(_BUCKETS)
        )
        listed = [file_id for rows in answers for (file_id,) in rows]
        records = await self._records.read(listed)
        for file_id in listed:
            # Left by a removal that was cut short. One that is AVAILABLE stays: perhaps it is being deleted.
            if file_id not in records or records[file_id].object_removed:
                await self.remove(file_id)
        return [file_id for file_id in listed if file_id in records and _is_removable(records[file_id])][:limit]


def _is_removable(record: FileRecord) -> bool:
    return record.file is not None and record.file.state is FileState.DELETED and not record.object_removed
