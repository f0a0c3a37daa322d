"""The newest row of a conversation, whose last bucket is not known."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from cachetools import LRUCache

from chat4all_core.adapters.cassandra.message_rows import bucket_of, ends_bucket, write_time
from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.request_groups import composite_key, key_groups
from chat4all_core.adapters.cassandra.session import Row, Session
from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.message import StoredMessage

_REMEMBERED = 50_000

_CQL = {
    "insert": "INSERT INTO conversation_heads (conversation_id, bucket) VALUES (?, ?) USING TIMESTAMP ?",
    "select": "SELECT conversation_id, bucket FROM conversation_heads WHERE conversation_id IN ?",
}


class ConversationHeads:
    """Most conversations have one bucket, and their newest row is found by one read. For others the last bucket is
    stored, as a hint from which to look further: it is written with the first row of the bucket, so it may be
    missing, or ahead of its rows, after a write that failed."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._insert = queries["insert"]
        self._select = queries["select"]
        # Buckets never vanish, so what was once seen stays a good place to begin.
        self._known: LRUCache[ConversationId, int] = LRUCache(_REMEMBERED)

    @classmethod
    async def open(cls, session: Session) -> "ConversationHeads":
        """With its statements prepared."""
        return cls(session, await session.prepare(_CQL))

    def writes_for(self, messages: Iterable[StoredMessage]) -> list[Any]:
        """The statements that store the hints which belong to new rows."""
        return [
            self._insert.bind(m.message.conversation_id, bucket_of(m.sequence), write_time(m.source))
            for m in messages
            if ends_bucket(m.sequence - 1)
        ]

    def known_bucket(self, conversation_id: ConversationId) -> int:
        """A bucket that is surely not behind the last one."""
        known: int = self._known.get(conversation_id, 0)
        return known

    async def last_bucket(self, conversation_id: ConversationId, newest_in: Query) -> int:
        """The bucket of the newest row, 0 for a conversation without rows."""
        await self.newest([conversation_id], newest_in)
        return self.known_bucket(conversation_id)

    async def newest(
        self, conversation_ids: Collection[ConversationId], newest_in: Query
    ) -> Mapping[ConversationId, Row]:
        """The newest row of each conversation that has one.

        Args:
            conversation_ids: which.
            newest_in: selects the newest row of a bucket for `conversation_id IN ? AND bucket = ?`; its first columns
                are the sequence and the conversation.
        """
        found: dict[ConversationId, Row] = {}
        asked = {c: self.known_bucket(c) for c in conversation_ids}
        hinted = False
        while asked:
            rows = await self._newest_in(newest_in, asked)
            found |= rows
            full = {c: bucket + 1 for c, bucket in asked.items() if c in rows and ends_bucket(rows[c][0])}
            if full and not hinted:
                hints = await self._hints(full)
                full = {c: max(bucket, hints.get(c, 0)) for c, bucket in full.items()}
                hinted = True
            # An empty bucket: the row lies below, unless the one below is what led here.
            empty = {
                c: bucket - 1
                for c, bucket in asked.items()
                if c not in rows and bucket - 1 > (bucket_of(found[c][0]) if c in found else -1)
            }
            asked = full | empty
        for conversation_id, row in found.items():
            if (bucket := bucket_of(row[0])) > 0:
                self._known[conversation_id] = bucket
        return found

    async def _newest_in(self, query: Query, asked: Mapping[ConversationId, int]) -> dict[ConversationId, Row]:
        by_bucket: dict[int, list[ConversationId]] = {}
        for conversation_id, bucket in asked.items():
            by_bucket.setdefault(bucket, []).append(conversation_id)
        answers = await self._session.execute_all(
            query.bind_for(key, group, bucket)
            for bucket, ids in by_bucket.items()
            for key, group in key_groups(self._session, ids, _key_in(bucket))
        )
        return {row[1]: row for rows in answers for row in rows}

    async def _hints(self, conversation_ids: Iterable[ConversationId]) -> dict[ConversationId, int]:
        answers = await self._session.execute_all(
            self._select.bind_for(key, group) for key, group in key_groups(self._session, conversation_ids, str.encode)
        )
        return {conversation_id: bucket for rows in answers for conversation_id, bucket in rows}


def _key_in(bucket: int) -> Any:
    encoded = bucket.to_bytes(8, "big")
    return lambda conversation_id: composite_key(conversation_id.encode(), encoded)
