"""The streams of events of all users on SQLite."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.stream_trimming import (
    delete_payloads_before,
    expired_streams,
    first_payload_since,
)
from chat4all_core.adapters.sqlite.stream_watch import WatchHub
from chat4all_core.adapters.sqlite.stream_writer import StreamWriter
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_core.domain.timestamp import SECOND
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.user_stream import (
    ConversationActivity,
    PositionLostError,
    StreamAppend,
    StreamEvent,
    Watch,
)

_UNACKNOWLEDGED = """
    SELECT conversation_id, max(message_sequence) FROM (
        SELECT p.conversation_id, p.message_sequence
        FROM streams AS s JOIN stream_events AS e USING (stream_id) JOIN stream_payloads AS p USING (payload_id)
        WHERE s.user_id = ?1 AND e.offset > s.acknowledged_up_to AND e.offset <= ?2 AND p.message_sequence > 0
        UNION ALL
        SELECT u.conversation_id, u.message_sequence
        FROM streams AS s JOIN stream_unacknowledged AS u USING (stream_id)
        WHERE s.user_id = ?1 AND u.offset <= ?2
    ) GROUP BY conversation_id
"""


@dataclass(frozen=True, slots=True)
class UserStreamSettings:
    """How much of each stream is kept."""

    max_events: int = 10_000
    """A stream that is a tenth longer is cut down to this many."""
    max_age: int = 7 * 24 * 3_600 * SECOND
    """Older events are dropped by `trim_expired`, and what they hold with them."""
    watch_capacity: int = 1_000
    """Events that a watch holds for a reader who is busy."""
    cached_streams: int = 20_000
    """Streams of which the head is kept in memory."""


class SqliteUserStream:
    """Implements UserStream for one process. A place in the part that was trimmed acknowledges nothing of
    a conversation whose newest trimmed event lies after it: too little, never too much."""

    def __init__(self, database: Database, clock: Clock, epoch: str, settings: UserStreamSettings) -> None:
        self._database = database
        self._clock = clock
        self._epoch = epoch
        self._settings = settings
        self._writer = StreamWriter(clock, settings.max_events, settings.cached_streams)
        database.on_rollback(self._writer.forget)
        self._hub = WatchHub(epoch, settings.watch_capacity)

    @classmethod
    async def open(cls, database: Database, clock: Clock, settings: UserStreamSettings | None = None) -> Self:
        """The streams in a database."""
        (epoch,) = await database.read(lambda c: c.execute("SELECT epoch FROM stream_state").fetchone())
        return cls(database, clock, epoch, settings or UserStreamSettings())

    async def append(self, appends: Sequence[StreamAppend]) -> None:
        """See UserStream.append."""
        # Published even if the caller is cancelled: a watch must not miss what a stream has.
        await self._database.submit(lambda connection: self._writer.append(connection, appends), self._hub.publish)

    async def head(self, user_id: UserId) -> StreamPosition:
        """See UserStream.head."""
        _, _, head = await self._database.read(lambda connection: _bounds(connection, user_id))
        return StreamPosition(self._epoch, head)

    async def read(self, user_id: UserId, after: StreamPosition, limit: int) -> Sequence[StreamEvent]:
        """See UserStream.read."""
        if after.epoch != self._epoch:
            raise PositionLostError(epoch_changed=True)

        def select(connection: sqlite3.Connection) -> list[Any] | None:
            stream_id, trimmed_up_to, head = _bounds(connection, user_id)
            if not trimmed_up_to <= after.offset <= head:
                return None
            return connection.execute(
                "SELECT e.offset, p.conversation_id, p.payload"
                " FROM stream_events AS e JOIN stream_payloads AS p USING (payload_id)"
                " WHERE e.stream_id = ? AND e.offset > ? ORDER BY e.offset LIMIT ?",
                (stream_id, after.offset, limit),
            ).fetchall()

        rows = await self._database.read(select)
        if rows is None:
            raise PositionLostError(epoch_changed=False)
        return [StreamEvent(StreamPosition(self._epoch, o), c, payload) for o, c, payload in rows]

    def watch(self, user_id: UserId) -> AbstractAsyncContextManager[Watch]:
        """See UserStream.watch."""
        return self._hub.watch(user_id)

    async def unacknowledged(self, user_id: UserId, up_to: StreamPosition) -> Mapping[ConversationId, int]:
        """See UserStream.unacknowledged."""
        if up_to.epoch != self._epoch:
            return {}
        return await self._database.read(
            lambda connection: dict(connection.execute(_UNACKNOWLEDGED, (user_id, up_to.offset)).fetchall())
        )

    async def acknowledge(self, user_id: UserId, up_to: StreamPosition) -> None:
        """See UserStream.acknowledge."""
        if up_to.epoch == self._epoch:
            await self._database.write(lambda c: _acknowledge(c, user_id, up_to.offset))

    async def introduce(self, users: Sequence[UserId], conversation_id: ConversationId) -> None:
        """See UserStream.introduce."""
        await self._database.write(lambda c: self._writer.introduce(c, users, conversation_id))

    async def recent_conversations(
        self, user_id: UserId, before: int | None, limit: int
    ) -> Sequence[ConversationActivity]:
        """See UserStream.recent_conversations."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT conversation_id, activity FROM stream_activity"
                " WHERE stream_id = (SELECT stream_id FROM streams WHERE user_id = ?)"
                " AND activity < ? ORDER BY activity DESC LIMIT ?",
                (user_id, 2**63 - 1 if before is None else before, limit),
            ).fetchall()
        )
        return [ConversationActivity(*row) for row in rows]

    async def trim_expired(self) -> None:
        """Drop the events that are too old, a little at a time."""
        oldest = self._clock() - self._settings.max_age
        first_kept = await self._database.read(lambda c: first_payload_since(c, oldest))
        if first_kept is None:
            return
        after: int | None = 0
        while after is not None:
            after = await self._trim_some(after, first_kept)
        while await self._database.write(partial(delete_payloads_before, first_kept=first_kept)):
            pass

    async def _trim_some(self, after: int, first_kept: int) -> int | None:
        def trim(connection: sqlite3.Connection) -> int | None:
            next_after, expired = expired_streams(connection, after, first_kept)
            for user_id, stream_id, up_to in expired:
                self._writer.trim(connection, UserId(ParticipantId(user_id)), stream_id, up_to)
            return next_after

        return await self._database.write(trim)


def _bounds(connection: sqlite3.Connection, user_id: UserId) -> tuple[int, int, int]:
    """A stream's id, the offset up to which it was trimmed, and its head."""
    row = connection.execute(
        "SELECT stream_id, trimmed_up_to,"
        " (SELECT max(offset) FROM stream_events WHERE stream_id = streams.stream_id)"
        " FROM streams WHERE user_id = ?",
        (user_id,),
    ).fetchone()
    if row is None:
        return 0, 0, 0
    stream_id, trimmed_up_to, newest = row
    return stream_id, trimmed_up_to, trimmed_up_to if newest is None else newest


def _acknowledge(connection: sqlite3.Connection, user_id: UserId, offset: int) -> None:
    stream_id, _, head = _bounds(connection, user_id)
    up_to = min(offset, head)
    connection.execute(
        "UPDATE streams SET acknowledged_up_to = ?1 WHERE stream_id = ?2 AND acknowledged_up_to < ?1",
        (up_to, stream_id),
    )
    connection.execute("DELETE FROM stream_unacknowledged WHERE stream_id = ? AND offset <= ?", (stream_id, up_to))
