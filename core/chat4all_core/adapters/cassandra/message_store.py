"""Messages on Cassandra."""

from collections.abc import Collection, Mapping, Sequence

from chat4all_core.adapters.cassandra.conversation_heads import ConversationHeads
from chat4all_core.adapters.cassandra.message_rows import (
    COLUMNS,
    INSERT_MESSAGE,
    INSERT_POSITION,
    bucket_of,
    ends_bucket,
    from_row,
    message_values,
    position_values,
)
from chat4all_core.adapters.cassandra.query import Query, is_key
from chat4all_core.adapters.cassandra.request_groups import key_groups, write_batches
from chat4all_core.adapters.cassandra.session import Row, Session
from chat4all_core.domain.ids import ConversationId, MessageId, UserId
from chat4all_core.domain.message import StoredMessage
from chat4all_core.domain.source import Source
from chat4all_core.ports.message_store import MessagePosition

_REPLAYED_AT_ONCE = 500
_SENDERS_AT_ONCE = 1_000

_SOURCE = "sequence, conversation_id, generation, partition, offset"
_BUCKET = "FROM messages WHERE conversation_id = ? AND bucket = ?"
_BUCKETS = "FROM messages WHERE conversation_id IN ? AND bucket = ? PER PARTITION LIMIT 1"
_CQL = {
    "insert_message": INSERT_MESSAGE,
    "insert_position": INSERT_POSITION,
    "positions": "SELECT message_id, conversation_id, sequence, generation, partition, offset"
    " FROM message_positions WHERE message_id IN ?",
    # Rows lie with the newest first.
    "newest": f"SELECT {COLUMNS} {_BUCKETS}",
    "newest_source": f"SELECT {_SOURCE} {_BUCKETS}",
    "sources_below": f"SELECT {_SOURCE} {_BUCKET} AND sequence < ? LIMIT ?",
    "one": f"SELECT {COLUMNS} {_BUCKET} AND sequence = ?",
    "descending": f"SELECT {COLUMNS} {_BUCKET} AND sequence < ? AND sequence > ? LIMIT ?",
    "ascending": f"SELECT {COLUMNS} {_BUCKET} AND sequence > ? AND sequence < ? ORDER BY sequence LIMIT ?",
    "senders": "SELECT sequence, sender, message_id "
    f"{_BUCKET} AND sequence > ? AND sequence < ? ORDER BY sequence LIMIT ?",
}


class CassandraMessageStore:
    """Implements MessageStore."""

    def __init__(self, session: Session, heads: ConversationHeads, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._heads = heads
        self._queries = queries

    @classmethod
    async def open(cls, session: Session) -> "CassandraMessageStore":
        """With its statements prepared."""
        return cls(session, await ConversationHeads.open(session), await session.prepare(_CQL))

    async def write(self, messages: Sequence[StoredMessage]) -> None:
        """See MessageStore.write."""
        insert_message, insert_position = self._queries["insert_message"], self._queries["insert_position"]
        statements = [insert_message.bind(*message_values(message)) for message in messages]
        statements += [insert_position.bind(*position_values(message)) for message in messages]
        statements += self._heads.writes_for(messages)
        await self._session.execute_all(write_batches(self._session, statements))

    async def positions(self, message_ids: Collection[MessageId]) -> Mapping[MessageId, MessagePosition]:
        """See MessageStore.positions."""
        query = self._queries["positions"]
        possible = [message_id for message_id in message_ids if is_key(message_id)]
        answers = await self._session.execute_all(
            query.bind_for(key, group) for key, group in key_groups(self._session, possible, str.encode)
        )
        return {row[0]: MessagePosition(row[1], row[2], Source(*row[3:])) for rows in answers for row in rows}

    async def last_sequences_before(self, sources: Mapping[ConversationId, Source]) -> Mapping[ConversationId, int]:
        """See MessageStore.last_sequences_before."""
        newest = await self._heads.newest(sources.keys(), self._queries["newest_source"])
        last = {}
        for conversation_id, source in sources.items():
            row = newest.get(conversation_id)
            if row is None:
                last[conversation_id] = 0
            elif Source(*row[2:]) < source:
                last[conversation_id] = row[0]
            else:
                last[conversation_id] = await self._last_before(conversation_id, row[0], source)
        return last

    async def last_sequence(self, conversation_id: ConversationId) -> int:
        """See MessageStore.last_sequence."""
        newest = await self._heads.newest([conversation_id], self._queries["newest_source"])
        return newest[conversation_id][0] if newest else 0

    async def get(self, conversation_id: ConversationId, sequence: int) -> StoredMessage | None:
        """See MessageStore.get."""
        rows = await self._session.execute(self._queries["one"].bind(conversation_id, bucket_of(sequence), sequence))
        return from_row(rows[0]) if rows else None

    async def list_before(
        self, conversation_id: ConversationId, before: int, after: int, limit: int
    ) -> Sequence[StoredMessage]:
        """See MessageStore.list_before."""
        found: list[StoredMessage] = []
        lowest = bucket_of(after + 1)
        bucket = min(bucket_of(before - 1), max(self._heads.known_bucket(conversation_id), lowest))
        while limit > len(found) and bucket >= lowest and before - 1 > after:
            rows = await self._session.execute(
                self._queries["descending"].bind(conversation_id, bucket, before, after, limit - len(found))
            )
            higher = await self._higher_bucket(conversation_id, bucket, before, rows) if not found else bucket
            if higher > bucket:
                bucket = higher
                continue
            found += map(from_row, rows)
            bucket -= 1
        return found

    async def list_after(
        self, conversation_id: ConversationId, after: int, before: int, limit: int
    ) -> Sequence[StoredMessage]:
        """See MessageStore.list_after."""
        return [from_row(row) for row in await self._ascend("ascending", conversation_id, after, before, limit)]

    async def newest(self, conversation_ids: Collection[ConversationId]) -> Mapping[ConversationId, StoredMessage]:
        """See MessageStore.newest."""
        rows = await self._heads.newest(conversation_ids, self._queries["newest"])
        return {conversation_id: from_row(row) for conversation_id, row in rows.items()}

    async def senders(
        self, conversation_id: ConversationId, after: int, up_to: int
    ) -> Mapping[UserId, tuple[int, MessageId]]:
        """See MessageStore.senders."""
        newest: dict[UserId, tuple[int, MessageId]] = {}
        rows: Sequence[Row] = ()
        while after < up_to:
            rows = await self._ascend("senders", conversation_id, after, up_to + 1, _SENDERS_AT_ONCE)
            newest |= {sender: (sequence, message_id) for sequence, sender, message_id in rows}
            if len(rows) < _SENDERS_AT_ONCE:
                break
            after = rows[-1][0]
        return newest

    async def _ascend(
        self, query: str, conversation_id: ConversationId, after: int, before: int, limit: int
    ) -> Sequence[Row]:
        """Rows with after < sequence < before, oldest first; the query's first column is the sequence."""
        found: list[Row] = []
        while limit > len(found) and after + 1 < before:
            rows = await self._session.execute(
                self._queries[query].bind(conversation_id, bucket_of(after + 1), after, before, limit - len(found))
            )
            found += rows
            # There are no gaps, so without the last sequence of a bucket there is no next one.
            if not rows or not ends_bucket(rows[-1][0]):
                break
            after = rows[-1][0]
        return found

    async def _higher_bucket(
        self, conversation_id: ConversationId, bucket: int, before: int, rows: Sequence[Row]
    ) -> int:
        """The bucket to begin with when going down from `before`, where the rows of a lower one were read first."""
        wanted = bucket_of(before - 1)
        if wanted <= bucket or (rows and not ends_bucket(rows[0][0])):
            return bucket
        return min(wanted, await self._heads.last_bucket(conversation_id, self._queries["newest_source"]))

    async def _last_before(self, conversation_id: ConversationId, below: int, source: Source) -> int:
        """The highest sequence below one, of a record before a source."""
        bucket = bucket_of(below)
        while bucket >= 0:
            rows = await self._session.execute(
                self._queries["sources_below"].bind(conversation_id, bucket, below, _REPLAYED_AT_ONCE)
            )
            for row in rows:
                if Source(*row[2:]) < source:
                    return int(row[0])
            if len(rows) < _REPLAYED_AT_ONCE:
                bucket -= 1
            else:
                below = rows[-1][0]
        return 0
