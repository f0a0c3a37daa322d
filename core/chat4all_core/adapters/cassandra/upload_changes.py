"""The lightweight transactions on the records of files and uploads."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chat4all_core.adapters.cassandra.file_rows import (
    COLUMNS,
    FILE_COLUMNS,
    SHARED_COLUMNS,
    UPLOAD_COLUMNS,
    file_values,
    shared_values,
    stored_size,
    upload_values,
)
from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.session import Outcome, Session, transaction
from chat4all_core.domain.file import File, FileState
from chat4all_core.domain.ids import FileId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.upload import Holding, Part, Progress, Upload, UploadState, holding_of_taker

_PARTS_AT_ONCE = 100  # Cassandra refuses batches of 50 KiB


def _assigned(columns: Iterable[str]) -> str:
    return ", ".join(f"{column} = ?" for column in columns)


_HELD = f"WHERE file_id = ? IF upload_state = {UploadState.OPEN:d} AND epoch = ?"
_CQL = {
    "create": f"UPDATE files SET {_assigned((*SHARED_COLUMNS, *FILE_COLUMNS, *UPLOAD_COLUMNS))}"
    " WHERE file_id = ? IF upload_id = NULL AND file_state = NULL",
    "take": "UPDATE files SET epoch = ?, holder = ?, expires_at = ?, due_at = ?, declared_size = ?, direct = ?,"
    f" holding = ? {_HELD}",
    "set_holding": f"UPDATE files SET holding = ? {_HELD}",
    "ask": f"UPDATE files SET holding = {Holding.ASKED:d} {_HELD} AND holding = {Holding.WRITING:d}",
    "hold": f"UPDATE files SET epoch = ? {_HELD}",
    "progress": f"UPDATE files SET {_assigned(('parts', 'tail_size', 'tail_tag', 'hash_state'))},"
    f" expires_at = ?, due_at = ?, declared_size = ? {_HELD}",
    "part": "INSERT INTO files (file_id, number, part_bytes, tag) VALUES (?, ?, ?, ?)",
    "finish": f"UPDATE files SET upload_state = {UploadState.FINISHED:d}, due_at = ?, position = ?,"
    f" {_assigned(FILE_COLUMNS)} {_HELD}",
    "close": f"UPDATE files SET upload_state = {UploadState.CLOSED:d}, due_at = 0, epoch = ? {_HELD}",
    "clean": f"UPDATE files SET upload_state = {UploadState.CLEANED:d}, due_at = ?, "
    + ", ".join(f"{column} = NULL" for column in FILE_COLUMNS)
    + f" WHERE file_id = ? IF upload_state = {UploadState.CLOSED:d}",
    "drop_parts": "DELETE FROM files WHERE file_id = ? AND number > 0",
    "forget_finished": f"DELETE {', '.join((*UPLOAD_COLUMNS, 'holder'))} FROM files"
    f" WHERE file_id = ? IF upload_state = {UploadState.FINISHED:d}",
    "forget_cleaned": f"DELETE {', '.join(COLUMNS[1:])} FROM files"
    f" WHERE file_id = ? IF upload_state = {UploadState.CLEANED:d}",
    "delete": f"UPDATE files SET file_state = {FileState.DELETED:d}"
    f" WHERE file_id = ? IF file_state = {FileState.AVAILABLE:d}",
    "object_removed": f"UPDATE files SET object_removed = 1 WHERE file_id = ? IF file_state = {FileState.DELETED:d}",
}


class UploadChanges:
    """Each is done if the record is as it has to be, or not at all; the outcome tells."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._queries = queries

    @classmethod
    async def open(cls, session: Session) -> "UploadChanges":
        """With its statements prepared."""
        return cls(session, await session.prepare(_CQL, idempotent=False))

    async def create(self, file: File, upload: Upload) -> Outcome:
        """Record both."""
        values = (*shared_values(file), *file_values(file), *upload_values(upload))
        return await self._change(self._queries["create"].bind(*values, file.file_id))

    async def take(
        self, held: Upload, holder: str, expires_at: Timestamp, declared_size: int | None, *, direct: bool
    ) -> Outcome:
        """Have the next holder of an upload; whether it is this one, the record says."""
        times, holding = (expires_at, expires_at), int(holding_of_taker(direct=direct))
        values = (held.epoch + 1, holder, *times, stored_size(declared_size), int(direct), holding)
        return await self._change(self._queries["take"].bind(*values, held.file_id, held.epoch))

    async def set_holding(self, held: Upload, holding: Holding) -> Outcome:
        """Record what the holder does, or that it is asked to end."""
        if holding is Holding.ASKED:
            return await self._change(self._queries["ask"].bind(held.file_id, held.epoch))
        return await self._change(self._queries["set_holding"].bind(int(holding), held.file_id, held.epoch))

    async def commit(
        self, held: Upload, progress: Progress, expires_at: Timestamp, declared_size: int | None
    ) -> Outcome:
        """Record progress. Parts of more than one transaction count only with the last."""
        parts = progress.new_parts
        first = max(0, (len(parts) - 1) // _PARTS_AT_ONCE * _PARTS_AT_ONCE)
        for start in range(0, first, _PARTS_AT_ONCE):
            hold = self._queries["hold"].bind(held.epoch, held.file_id, held.epoch)
            outcome = await self._change(hold, *self._parts(held.file_id, parts[start : start + _PARTS_AT_ONCE]))
            if not outcome.applied:
                return outcome
        values = (progress.parts, progress.tail_size, progress.tail_tag, progress.hash_state)
        return await self._change(
            self._queries["progress"].bind(
                *values, expires_at, expires_at, stored_size(declared_size), held.file_id, held.epoch
            ),
            *self._parts(held.file_id, parts[first:]),
        )

    async def finish(self, held: Upload, file: File, position: int, forget_at: Timestamp) -> Outcome:
        """Make the upload FINISHED and its file what is given."""
        return await self._change(
            self._queries["finish"].bind(forget_at, position, *file_values(file), held.file_id, held.epoch),
            self._queries["drop_parts"].bind(held.file_id),
        )

    async def close(self, held: Upload) -> Outcome:
        """Make the upload CLOSED."""
        return await self._change(self._queries["close"].bind(held.epoch + 1, held.file_id, held.epoch))

    async def clean(self, file_id: FileId, forget_at: Timestamp) -> Outcome:
        """Make the upload CLEANED, and forget its file."""
        return await self._change(
            self._queries["clean"].bind(forget_at, file_id), self._queries["drop_parts"].bind(file_id)
        )

    async def forget(self, upload: Upload) -> Outcome:
        """Forget a FINISHED or CLEANED upload."""
        name = "forget_finished" if upload.state is UploadState.FINISHED else "forget_cleaned"
        return await self._change(self._queries[name].bind(upload.file_id))

    async def delete(self, file_id: FileId) -> Outcome:
        """Make an AVAILABLE file DELETED."""
        return await self._change(self._queries["delete"].bind(file_id))

    async def object_removed(self, file_id: FileId) -> Outcome:
        """Note that the bytes of a DELETED file are gone."""
        return await self._change(self._queries["object_removed"].bind(file_id))

    def _parts(self, file_id: FileId, parts: Sequence[Part]) -> list[Any]:
        return [self._queries["part"].bind(file_id, part.number, part.size, part.tag) for part in parts]

    async def _change(self, *statements: Any) -> Outcome:
        return await self._session.execute_conditional(transaction(statements))
