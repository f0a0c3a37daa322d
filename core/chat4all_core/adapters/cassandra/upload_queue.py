"""When which upload has to be looked at.

An upload's time mostly moves on, with each of its parts. Its entry stays where it is then, and is moved when its own
time has come. So an entry is never too late, and what an upload costs here does not grow with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from chat4all_core.adapters.cassandra.file_records import FileRecords
from chat4all_core.adapters.cassandra.file_rows import FileRecord, bucket_of
from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.ids import FileId, UploadId, UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.domain.upload import Upload

AT_ONCE = Timestamp(0)
"""The time of uploads that need not wait."""

_BUCKETS = 8  # a day; can't be changed: rows would not be found any more
_DAY = 24 * 3_600 * SECOND

_CQL = {
    "days": "SELECT day FROM upload_due_days WHERE part = 0 AND day <= ?",
    "add_day": "INSERT INTO upload_due_days (part, day) VALUES (0, ?)",
    "remove_day": "DELETE FROM upload_due_days WHERE part = 0 AND day = ?",
    "due": "SELECT due_at, file_id, upload_id, owner FROM uploads_due"
    " WHERE day = ? AND bucket = ? AND due_at <= ? LIMIT ?",
    "add": "INSERT INTO uploads_due (day, bucket, due_at, file_id, upload_id, owner) VALUES (?, ?, ?, ?, ?, ?)",
    "remove": "DELETE FROM uploads_due WHERE day = ? AND bucket = ? AND due_at = ? AND file_id = ?",
    "forget": "DELETE FROM uploads WHERE upload_id = ?",
    "uncount": "DELETE FROM uploads_by_owner WHERE owner = ? AND file_id = ?",
}


@dataclass(frozen=True, slots=True, order=True)
class _Entry:
    due_at: Timestamp
    file_id: FileId
    upload_id: UploadId
    owner: UserId


class UploadQueue:
    """Holds at least one entry for each upload, at or before its time."""

    def __init__(self, session: Session, records: FileRecords, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._records = records
        self._queries = queries

    @classmethod
    async def open(cls, session: Session, records: FileRecords) -> "UploadQueue":
        """With its statements prepared."""
        return cls(session, records, await session.prepare(_CQL))

    async def add(self, upload: Upload, due_at: Timestamp) -> None:
        """Have an upload looked at at a time, or before. To be called before its record says so."""
        await self._add(_Entry(due_at, upload.file_id, upload.upload_id, upload.owner))

    async def forget(self, upload: Upload, due_at: Timestamp) -> None:
        """The upload is gone from its record, which had this time."""
        await self._forget(_Entry(due_at, upload.file_id, upload.upload_id, upload.owner))

    async def remove(self, file_id: FileId, due_at: Timestamp) -> None:
        """The upload has a later time, and an entry for that."""
        day = due_at // _DAY
        await self._session.execute(self._queries["remove"].bind(day, bucket_of(file_id, _BUCKETS), due_at, file_id))

    async def due(self, now: Timestamp, limit: int) -> Sequence[Upload]:
        """Up to `limit` uploads whose time has come, the longest due first."""
        moved: set[_Entry] = set()
        while True:
            entries = await self._entries(now, limit)
            records = await self._records.read([entry.file_id for entry in entries])
            misplaced = {entry for entry in entries if not _is_placed(entry, records.get(entry.file_id))}
            # One that is still there after it was moved came from a clock that is ahead; it goes the next time.
            if misplaced <= moved:
                found = (records[entry.file_id].upload for entry in entries if entry not in misplaced)
                return [upload for upload in found if upload is not None]
            for entry in misplaced - moved:
                await self._put_right(entry, records.get(entry.file_id))
            moved |= misplaced

    async def _entries(self, now: Timestamp, limit: int) -> list[_Entry]:
        today = now // _DAY
        indexed = [day for (day,) in await self._session.execute(self._queries["days"].bind(today))]
        found: list[_Entry] = []
        for day in chain([AT_ONCE // _DAY], indexed):
            if len(found) >= limit:
                break
            entries = await self._entries_of(day, now, limit)
            found += sorted(entries)
            # Uploads are given times to come, so nothing is added to a day that is over.
            if not entries and AT_ONCE // _DAY < day < today - 1:
                await self._session.execute(self._queries["remove_day"].bind(day))
        return found[:limit]

    async def _entries_of(self, day: int, now: Timestamp, limit: int) -> list[_Entry]:
        answers: Iterable[Sequence[tuple[Timestamp, FileId, UploadId, UserId]]]
        answers = await self._session.execute_all(
            self._queries["due"].bind(day, bucket, now, limit) for bucket in range(_BUCKETS)
        )
        return [_Entry(*row) for rows in answers for row in rows]

    async def _put_right(self, entry: _Entry, record: FileRecord | None) -> None:
        if record is None or record.upload is None:
            await self._forget(entry)
        else:
            await self.add(record.upload, record.due_at)
            await self.remove(entry.file_id, entry.due_at)

    async def _add(self, entry: _Entry) -> None:
        day, bucket = entry.due_at // _DAY, bucket_of(entry.file_id, _BUCKETS)
        # Before the entry: a day that is listed for nothing does no harm.
        if day != AT_ONCE // _DAY:
            await self._session.execute(self._queries["add_day"].bind(day))
        await self._session.execute(
            self._queries["add"].bind(day, bucket, entry.due_at, entry.file_id, entry.upload_id, entry.owner)
        )

    async def _forget(self, entry: _Entry) -> None:
        """Remove also what an upload leaves elsewhere that was never recorded, or not wholly forgotten."""
        await self._session.execute_all(
            [
                self._queries["forget"].bind(entry.upload_id),
                self._queries["uncount"].bind(entry.owner, entry.file_id),
            ]
        )
        await self.remove(entry.file_id, entry.due_at)


def _is_placed(entry: _Entry, record: FileRecord | None) -> bool:
    return record is not None and record.upload is not None and record.due_at == entry.due_at
