"""Files and uploads on SQLite."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.file_rows import (
    FILE_COLUMNS,
    UPLOAD_COLUMNS,
    file_from_row,
    file_to_row,
    upload_from_row,
    upload_to_row,
)
from chat4all_core.adapters.sqlite.rows import insert_rows, json_array
from chat4all_core.domain.file import File, FileState
from chat4all_core.domain.ids import ConversationId, FileId, UploadId, UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.upload import Holding, Part, Progress, Upload, UploadState, holding_of_taker
from chat4all_core.ports.file_store import Admission, ListedFile, Quota

_ENDLESS = 2**63 - 1
_HELD = f"upload_id = ? AND epoch = ? AND state = {UploadState.OPEN:d}"
_COUNTED = "max(coalesce(declared_size, 0), parts * part_size + tail_size)"  # bytes of an upload, for the quota


class SqliteFileStore:
    """Implements FileStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    async def open(cls, database: Database) -> "SqliteFileStore":
        """Open it, once for a process: whoever held uploads before is gone."""
        store = cls(database)
        await store._change(f"UPDATE uploads SET holding = {Holding.NOTHING:d} WHERE holding != {Holding.NOTHING:d}")
        return store

    async def create(self, file: File, upload: Upload, quota: Quota) -> Admission:
        """See FileStore.create."""

        def run(connection: sqlite3.Connection) -> Admission:
            (open_uploads,) = connection.execute(
                f"SELECT count(*) FROM uploads WHERE owner = ? AND state = {UploadState.OPEN:d}", (upload.owner,)
            ).fetchone()
            if open_uploads >= quota.max_uploads:
                return Admission.OVER_UPLOADS
            if _usage(connection, upload.owner) + (upload.declared_size or 0) > quota.max_bytes:
                return Admission.OVER_BYTES
            insert_rows(connection, f"files ({FILE_COLUMNS})", [file_to_row(file)])
            insert_rows(
                connection, f"uploads ({UPLOAD_COLUMNS}, due_at)", [(*upload_to_row(upload), upload.expires_at)]
            )
            return Admission.ADMITTED

        return await self._database.write(run)

    async def get_upload(self, upload_id: UploadId) -> Upload | None:
        """See FileStore.get_upload."""
        rows = await self._select(f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE upload_id = ?", upload_id)
        return upload_from_row(rows[0]) if rows else None

    async def get_file(self, file_id: FileId) -> File | None:
        """See FileStore.get_file."""
        rows = await self._select(f"SELECT {FILE_COLUMNS} FROM files WHERE file_id = ?", file_id)
        return file_from_row(rows[0]) if rows else None

    async def take(
        self, upload_id: UploadId, epoch: int, expires_at: Timestamp, *, declared_size: int | None, direct: bool
    ) -> Upload | None:
        """See FileStore.take."""

        def run(connection: sqlite3.Connection) -> Upload | None:
            taken = connection.execute(
                "UPDATE uploads SET epoch = epoch + 1, expires_at = ?, due_at = ?, declared_size = ?, direct = ?,"
                f" holding = ? WHERE {_HELD}",
                (expires_at, expires_at, declared_size, direct, holding_of_taker(direct=direct), upload_id, epoch),
            )
            return _upload(connection, upload_id) if taken.rowcount else None

        return await self._database.write(run)

    async def set_holding(self, upload_id: UploadId, epoch: int, holding: Holding) -> bool:
        """See FileStore.set_holding."""
        if_writing = f" AND holding = {Holding.WRITING:d}" if holding is Holding.ASKED else ""
        return await self._change(
            f"UPDATE uploads SET holding = ? WHERE {_HELD}{if_writing}", holding, upload_id, epoch
        )

    async def commit(
        self, upload_id: UploadId, epoch: int, progress: Progress, expires_at: Timestamp, quota: Quota
    ) -> Admission:
        """See FileStore.commit."""
        return await self._database.write(
            lambda connection: _commit(connection, upload_id, epoch, progress, expires_at, quota)
        )

    async def parts(self, upload_id: UploadId) -> Sequence[Part]:
        """See FileStore.parts."""
        rows = await self._select(
            "SELECT number, size, tag FROM upload_parts WHERE upload_id = ? ORDER BY number", upload_id
        )
        return [Part(*row) for row in rows]

    async def finish(self, upload_id: UploadId, epoch: int, file: File, forget_at: Timestamp) -> bool:
        """See FileStore.finish."""

        def run(connection: sqlite3.Connection) -> bool:
            finished = connection.execute(
                f"UPDATE uploads SET state = {UploadState.FINISHED:d}, due_at = ? WHERE {_HELD}",
                (forget_at, upload_id, epoch),
            )
            if not finished.rowcount:
                return False
            (newest,) = connection.execute(
                "SELECT max(position) FROM files WHERE conversation_id = ?", (file.conversation_id,)
            ).fetchone()
            connection.execute(
                f"REPLACE INTO files ({FILE_COLUMNS}, position) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (*file_to_row(file), (newest or 0) + 1),
            )
            connection.execute("DELETE FROM upload_parts WHERE upload_id = ?", (upload_id,))
            return True

        return await self._database.write(run)

    async def close(self, upload_id: UploadId, epoch: int) -> bool:
        """See FileStore.close."""
        return await self._change(
            f"UPDATE uploads SET state = {UploadState.CLOSED:d}, epoch = epoch + 1, due_at = 0 WHERE {_HELD}",
            *(upload_id, epoch),
        )

    async def due_uploads(self, now: Timestamp, limit: int) -> Sequence[Upload]:
        """See FileStore.due_uploads."""
        rows = await self._select(
            f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE due_at <= ? ORDER BY due_at LIMIT ?", now, limit
        )
        return [upload_from_row(row) for row in rows]

    async def cleaned(self, upload_id: UploadId, forget_at: Timestamp) -> None:
        """See FileStore.cleaned."""

        def run(connection: sqlite3.Connection) -> None:
            changed = connection.execute(
                f"UPDATE uploads SET state = {UploadState.CLEANED:d}, due_at = ?"
                f" WHERE upload_id = ? AND state = {UploadState.CLOSED:d}",
                (forget_at, upload_id),
            )
            if changed.rowcount:
                connection.execute(
                    "DELETE FROM files WHERE file_id = (SELECT file_id FROM uploads WHERE upload_id = ?)"
                    f" AND state = {FileState.PENDING:d}",
                    (upload_id,),
                )
                connection.execute("DELETE FROM upload_parts WHERE upload_id = ?", (upload_id,))

        await self._database.write(run)

    async def forget_upload(self, upload_id: UploadId) -> None:
        """See FileStore.forget_upload."""
        over = f"{UploadState.FINISHED:d}, {UploadState.CLEANED:d}"
        await self._change(f"DELETE FROM uploads WHERE upload_id = ? AND state IN ({over})", upload_id)

    async def list_files(self, conversation_id: ConversationId, before: int | None, limit: int) -> Sequence[ListedFile]:
        """See FileStore.list_files."""
        rows = await self._select(
            f"SELECT {FILE_COLUMNS}, position FROM files WHERE conversation_id = ? AND position < ?"
            f" AND state = {FileState.AVAILABLE:d} ORDER BY position DESC LIMIT ?",
            *(conversation_id, _ENDLESS if before is None else before, limit),
        )
        return [ListedFile(row[-1], file_from_row(row[:-1])) for row in rows]

    async def delete_file(self, file_id: FileId) -> None:
        """See FileStore.delete_file."""
        await self._change(
            f"UPDATE files SET state = {FileState.DELETED:d} WHERE file_id = ? AND state = {FileState.AVAILABLE:d}",
            file_id,
        )

    async def removable_files(self, limit: int) -> Sequence[FileId]:
        """See FileStore.removable_files."""
        rows = await self._select(
            f"SELECT file_id FROM files WHERE state = {FileState.DELETED:d} AND object_removed = 0 LIMIT ?", limit
        )
        return [file_id for (file_id,) in rows]

    async def object_removed(self, file_id: FileId) -> None:
        """See FileStore.object_removed."""
        await self._change(
            f"UPDATE files SET object_removed = 1 WHERE file_id = ? AND state = {FileState.DELETED:d}", file_id
        )

    async def file_states(self, file_ids: Collection[FileId]) -> Mapping[FileId, FileState]:
        """See FileStore.file_states."""
        rows = await self._select(
            "SELECT file_id, state FROM files WHERE file_id IN (SELECT value FROM json_each(?))", json_array(file_ids)
        )
        return {file_id: FileState(state) for file_id, state in rows}

    async def usage(self, owner: UserId) -> int:
        """See FileStore.usage."""
        return await self._database.read(lambda connection: _usage(connection, owner))

    async def _change(self, sql: str, *parameters: object) -> bool:
        return await self._database.write(lambda connection: connection.execute(sql, parameters).rowcount > 0)

    async def _select(self, sql: str, *parameters: object) -> list[Any]:
        return await self._database.read(lambda connection: connection.execute(sql, parameters).fetchall())


def _commit(
    connection: sqlite3.Connection,
    upload_id: UploadId,
    epoch: int,
    progress: Progress,
    expires_at: Timestamp,
    quota: Quota,
) -> Admission:
    upload = _upload(connection, upload_id)
    if upload is None or upload.epoch != epoch or upload.state is not UploadState.OPEN:
        return Admission.LOST
    size = progress.parts * upload.part_size + progress.tail_size
    if upload.declared_size is None:
        others = _usage(connection, upload.owner) - upload.committed_size
        if others + size > quota.max_bytes:
            return Admission.OVER_BYTES
    connection.execute(
        "UPDATE uploads SET parts = ?, tail_size = ?, tail_tag = ?, hash_state = ?, expires_at = ?, due_at = ?,"
        " declared_size = ? WHERE upload_id = ?",
        (
            progress.parts,
            progress.tail_size,
            progress.tail_tag,
            progress.hash_state,
            expires_at,
            expires_at,
            size if progress.sealed else upload.declared_size,
            upload_id,
        ),
    )
    insert_rows(
        connection,
        "upload_parts (upload_id, number, size, tag)",
        [(upload_id, part.number, part.size, part.tag) for part in progress.new_parts],
        "ON CONFLICT (upload_id, number) DO UPDATE SET size = excluded.size, tag = excluded.tag",
    )
    return Admission.ADMITTED


def _upload(connection: sqlite3.Connection, upload_id: UploadId) -> Upload | None:
    row = connection.execute(f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE upload_id = ?", (upload_id,)).fetchone()
    return None if row is None else upload_from_row(row)


def _usage(connection: sqlite3.Connection, owner: UserId) -> int:
    (files, uploads) = connection.execute(
        f"SELECT (SELECT coalesce(sum(size), 0) FROM files WHERE owner = ? AND state = {FileState.AVAILABLE:d}),"
        f" (SELECT coalesce(sum({_COUNTED}), 0) FROM uploads WHERE owner = ? AND state = {UploadState.OPEN:d})",
        (owner, owner),
    ).fetchone()
    return int(files + uploads)
