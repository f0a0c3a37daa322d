"""Messages on SQLite."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.rows import insert_rows, json_array
from chat4all_core.domain.file import decode_attachment, encode_attachment
from chat4all_core.domain.ids import ConversationId, MessageId, UserId
from chat4all_core.domain.message import AcceptedMessage, StoredMessage, decode_routes, encode_routes
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.message_store import MessagePosition

_COLUMNS = (
    "conversation_id, sequence, generation, partition, offset, message_id, sender, accepted_at, "
    "membership_version, reply_to, metadata, text, file, routes"
)
_CONTENT = _COLUMNS.split(", ")[2:]
# The newest write wins, whatever the order in which writes arrive; the same again changes nothing.
_REPLACE_OLDER = (
    "ON CONFLICT (conversation_id, sequence) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _CONTENT)
    + " WHERE (excluded.generation, excluded.offset) > (messages.generation, messages.offset)"
)


class SqliteMessageStore:
    """Implements MessageStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def write(self, messages: Sequence[StoredMessage]) -> None:
        """See MessageStore.write."""
        rows = [_to_row(message) for message in messages]
        await self._database.write(
            lambda connection: insert_rows(connection, f"messages ({_COLUMNS})", rows, _REPLACE_OLDER)
        )

    async def positions(self, message_ids: Collection[MessageId]) -> Mapping[MessageId, MessagePosition]:
        """See MessageStore.positions."""
        if not message_ids:
            return {}
        rows = await self._select(
            "SELECT message_id, conversation_id, sequence, generation, partition, offset FROM messages"
            " WHERE message_id IN (SELECT value FROM json_each(?))",
            json_array(message_ids),
        )
        return {row[0]: MessagePosition(row[1], row[2], Source(*row[3:])) for row in rows}

    async def last_sequences_before(self, sources: Mapping[ConversationId, Source]) -> Mapping[ConversationId, int]:
        """See MessageStore.last_sequences_before."""
        if not sources:
            return {}
        wanted = json_array([(c, s.generation, s.partition, s.offset) for c, s in sources.items()])
        # From the newest row down: only a replay's rows are passed over.
        rows = await self._select(
            "SELECT value ->> 0, (SELECT sequence FROM messages WHERE conversation_id = value ->> 0"
            "  AND (generation, partition, offset) < (value ->> 1, value ->> 2, value ->> 3)"
            "  ORDER BY sequence DESC LIMIT 1) FROM json_each(?)",
            wanted,
        )
        return {conversation_id: sequence or 0 for conversation_id, sequence in rows}

    async def last_sequence(self, conversation_id: ConversationId) -> int:
        """See MessageStore.last_sequence."""
        rows = await self._select("SELECT max(sequence) FROM messages WHERE conversation_id = ?", conversation_id)
        return rows[0][0] or 0

    async def get(self, conversation_id: ConversationId, sequence: int) -> StoredMessage | None:
        """See MessageStore.get."""
        found = await self._list("conversation_id = ? AND sequence = ?", conversation_id, sequence)
        return found[0] if found else None

    async def list_before(
        self, conversation_id: ConversationId, before: int, after: int, limit: int
    ) -> Sequence[StoredMessage]:
        """See MessageStore.list_before."""
        return await self._list(
            "conversation_id = ? AND sequence > ? AND sequence < ? ORDER BY sequence DESC LIMIT ?",
            *(conversation_id, after, before, limit),
        )

    async def list_after(
        self, conversation_id: ConversationId, after: int, before: int, limit: int
    ) -> Sequence[StoredMessage]:
        """See MessageStore.list_after."""
        return await self._list(
            "conversation_id = ? AND sequence > ? AND sequence < ? ORDER BY sequence LIMIT ?",
            *(conversation_id, after, before, limit),
        )

    async def newest(self, conversation_ids: Collection[ConversationId]) -> Mapping[ConversationId, StoredMessage]:
        """See MessageStore.newest."""
        found = await self._list(
            "(conversation_id, sequence) IN (SELECT value,"
            " (SELECT max(sequence) FROM messages WHERE conversation_id = value) FROM json_each(?))",
            json_array(conversation_ids),
        )
        return {stored.message.conversation_id: stored for stored in found}

    async def senders(
        self, conversation_id: ConversationId, after: int, up_to: int
    ) -> Mapping[UserId, tuple[int, MessageId]]:
        """See MessageStore.senders."""
        # SQLite takes the other columns of a group from the row that holds its max.
        rows = await self._select(
            "SELECT sender, max(sequence), message_id FROM messages"
            " WHERE conversation_id = ? AND sequence > ? AND sequence <= ? GROUP BY sender",
            *(conversation_id, after, up_to),
        )
        return {sender: (sequence, message_id) for sender, sequence, message_id in rows}

    async def _list(self, where: str, *parameters: object) -> list[StoredMessage]:
        rows = await self._select(f"SELECT {_COLUMNS} FROM messages WHERE {where}", *parameters)
        return [_from_row(row) for row in rows]

    async def _select(self, sql: str, *parameters: object) -> list[Any]:
        def run(connection: sqlite3.Connection) -> list[Any]:
            return connection.execute(sql, parameters).fetchall()

        return await self._database.read(run)


def _to_row(stored: StoredMessage) -> tuple[Any, ...]:
    message, source = stored.message, stored.source
    return (
        message.conversation_id,
        stored.sequence,
        source.generation,
        source.partition,
        source.offset,
        message.message_id,
        message.sender,
        message.accepted_at,
        message.membership_version,
        message.reply_to,
        None if message.metadata is None else json.dumps(dict(message.metadata), ensure_ascii=False),
        message.text,
        None if message.file is None else encode_attachment(message.file),
        encode_routes(message.routes) if message.routes else None,
    )


def _from_row(row: tuple[Any, ...]) -> StoredMessage:
    (conversation_id, sequence, generation, partition, offset, message_id, sender, accepted_at) = row[:8]
    (membership_version, reply_to, metadata, text, file, routes) = row[8:]
    message = AcceptedMessage(
        message_id=message_id,
        conversation_id=conversation_id,
        sender=sender,
        text=text,
        accepted_at=Timestamp(accepted_at),
        membership_version=membership_version,
        reply_to=reply_to,
        metadata=None if metadata is None else json.loads(metadata),
        file=None if file is None else decode_attachment(file),
        routes=() if routes is None else decode_routes(routes),
    )
    return StoredMessage(message, sequence, Source(generation, partition, offset))
