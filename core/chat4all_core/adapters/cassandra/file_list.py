"""The list of a conversation's files."""

from collections.abc import Mapping, Sequence

from chat4all_core.adapters.cassandra.file_records import FileRecords
from chat4all_core.adapters.cassandra.query import Query, is_key
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.file import FileState
from chat4all_core.domain.ids import ConversationId, FileId
from chat4all_core.ports.file_store import ListedFile

_BUCKET = 10_000  # positions in a partition; it can't be changed: rows would not be found any more

_CQL = {
    "last": "SELECT last FROM file_positions WHERE conversation_id = ?",
    "add": "INSERT INTO files_by_conversation (conversation_id, bucket, position, file_id) VALUES (?, ?, ?, ?)",
    "remove": "DELETE FROM files_by_conversation WHERE conversation_id = ? AND bucket = ? AND position = ?",
    "page": "SELECT position, file_id FROM files_by_conversation"
    " WHERE conversation_id = ? AND bucket = ? AND position < ? LIMIT ?",
}
_CONDITIONAL_CQL = {
    "advance": "UPDATE file_positions SET last = ? WHERE conversation_id = ? IF last = ?",
}


class FileList:
    """Gives positions away, and finds the files at them. A file belongs to the position that its record names."""

    def __init__(self, session: Session, records: FileRecords, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._records = records
        self._queries = queries

    @classmethod
    async def open(cls, session: Session, records: FileRecords) -> "FileList":
        """With its statements prepared."""
        conditional = await session.prepare(_CONDITIONAL_CQL, idempotent=False)
        return cls(session, records, await session.prepare(_CQL) | conditional)

    async def add(self, conversation_id: ConversationId, file_id: FileId) -> int:
        """A position above all that were given away in this conversation, which leads to the file from now on."""
        last: int | None = await self._last(conversation_id) or None
        while True:
            position = (last or 0) + 1
            outcome = await self._session.execute_conditional(
                self._queries["advance"].bind(position, conversation_id, last)
            )
            if outcome.applied:
                break
            last = outcome.values["last"]  # a position that an earlier try got remains empty
        await self._session.execute(self._queries["add"].bind(conversation_id, position // _BUCKET, position, file_id))
        return position

    async def remove(self, conversation_id: ConversationId, position: int) -> None:
        """Nothing is at this position any more."""
        await self._session.execute(self._queries["remove"].bind(conversation_id, position // _BUCKET, position))

    async def page(self, conversation_id: ConversationId, before: int | None, limit: int) -> Sequence[ListedFile]:
        """Up to `limit` AVAILABLE files below a position, the highest first."""
        if not is_key(conversation_id):
            return []
        end = await self._last(conversation_id) + 1
        below = end if before is None else min(before, end)
        bucket = (below - 1) // _BUCKET
        found: list[ListedFile] = []
        while bucket >= 0 and len(found) < limit:
            wanted = limit - len(found)
            rows = await self._session.execute(self._queries["page"].bind(conversation_id, bucket, below, wanted))
            found += await self._available(rows)
            if len(rows) < wanted:
                bucket -= 1
            else:
                below = rows[-1][0]
        return found

    async def _available(self, rows: Sequence[tuple[int, FileId]]) -> Sequence[ListedFile]:
        records = await self._records.read([file_id for _, file_id in rows])
        return [
            ListedFile(position, record.file)
            for position, file_id in rows
            if (record := records.get(file_id)) is not None
            and record.position == position
            and record.file is not None
            and record.file.state is FileState.AVAILABLE
        ]

    async def _last(self, conversation_id: ConversationId) -> int:
        rows = await self._session.execute(self._queries["last"].bind(conversation_id))
        return rows[0][0] if rows else 0
