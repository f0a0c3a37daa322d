"""Appending to user streams, as it runs in the database's thread."""

import sqlite3
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import NamedTuple

from chat4all_core.adapters.sqlite.rows import insert_rows, json_array
from chat4all_core.adapters.sqlite.stream_trimming import trim_stream
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.user_stream import StreamAppend

_BEFORE_ALL = (-1, -1)


class PlacedEvent(NamedTuple):
    """An event that a stream took."""

    user_id: UserId
    offset: int
    append: StreamAppend


class _Stream:
    """What appending needs to know of a stream."""

    __slots__ = ("head", "stream_id", "taken", "trimmed_up_to")

    def __init__(self, stream_id: int, head: int, trimmed_up_to: int) -> None:
        self.stream_id = stream_id
        self.head = head
        self.trimmed_up_to = trimmed_up_to
        self.taken: dict[tuple[str, int, int], tuple[int, int]] = {}
        """By role, generation and partition: the last (offset, index)."""


class StreamWriter:
    """Used by one thread; `forget` after a rollback."""

    def __init__(self, clock: Clock, max_events: int, cached: int) -> None:
        self._clock = clock
        self._max_events = max_events
        self._trim_at = max_events + max_events // 10  # so that trimming is one statement for many events
        self._max_cached = cached
        self._streams: OrderedDict[UserId, _Stream] = OrderedDict()
        self._last_payload_id: int | None = None

    def forget(self) -> None:
        """Drop what may have been undone; it is read again when needed."""
        self._streams.clear()
        self._last_payload_id = None

    def append(self, connection: sqlite3.Connection, appends: Sequence[StreamAppend]) -> list[PlacedEvent]:
        """Append events; those that streams took, in order."""
        self._load(connection, {user for append in appends for user in append.users})
        streams, now = self._streams, self._clock()
        first_id = payload_id = self._last_id(connection)
        placed, payloads, events = [], [], []
        sources, activity = {}, {}
        for append in appends:
            source, conversation_id = append.source, append.conversation_id
            origin = (append.role, source.generation, source.partition)
            mark = (source.offset, append.index)
            taken_by_any = False
            for user in append.users:
                stream = streams[user]
                if mark <= stream.taken.get(origin, _BEFORE_ALL):
                    continue
                if not taken_by_any:
                    taken_by_any = True
                    payload_id += 1
                    payloads.append((payload_id, conversation_id, append.message_sequence, now, append.payload))
                stream.taken[origin] = mark
                stream.head += 1
                stream_id = stream.stream_id
                events.append((stream_id, stream.head, payload_id))
                sources[stream_id, origin] = (stream_id, *origin, *mark)
                activity[stream_id, conversation_id] = (stream_id, conversation_id, payload_id)
                placed.append(PlacedEvent(user, stream.head, append))
        if payload_id > first_id:
            _store_events(connection, payloads, events)
            _store_marks(connection, list(sources.values()), list(activity.values()))
            self._store_last_id(connection, payload_id)
            self._trim_long_streams(connection, {event.user_id for event in placed})
        self._shrink()
        return placed

    def introduce(
        self, connection: sqlite3.Connection, users: Sequence[UserId], conversation_id: ConversationId
    ) -> None:
        """Make a conversation the newest activity of those who do not know it."""
        self._load(connection, users)
        activity = self._last_id(connection) + 1
        insert_rows(
            connection,
            "stream_activity (stream_id, conversation_id, activity)",
            [(self._streams[user].stream_id, conversation_id, activity) for user in users],
            "ON CONFLICT DO NOTHING",
        )
        self._store_last_id(connection, activity)
        self._shrink()

    def trim(self, connection: sqlite3.Connection, user_id: UserId, stream_id: int, up_to: int) -> None:
        """Stop keeping a stream's events up to an offset."""
        trim_stream(connection, stream_id, up_to)
        stream = self._streams.get(user_id)
        if stream is not None:
            stream.trimmed_up_to = up_to

    def _trim_long_streams(self, connection: sqlite3.Connection, users: Collection[UserId]) -> None:
        for user in users:
            stream = self._streams[user]
            if stream.head - stream.trimmed_up_to > self._trim_at:
                self.trim(connection, user, stream.stream_id, stream.head - self._max_events)

    def _load(self, connection: sqlite3.Connection, users: Collection[UserId]) -> None:
        missing = []
        for user in users:
            if user in self._streams:
                self._streams.move_to_end(user)
            else:
                missing.append(user)
        if missing:
            self._streams.update(_load_streams(connection, missing))

    def _shrink(self) -> None:
        # After a batch, not during it: what the batch needs must stay.
        while len(self._streams) > self._max_cached:
            self._streams.popitem(last=False)

    def _last_id(self, connection: sqlite3.Connection) -> int:
        if self._last_payload_id is None:
            (self._last_payload_id,) = connection.execute("SELECT last_payload_id FROM stream_state").fetchone()
        return self._last_payload_id or 0

    def _store_last_id(self, connection: sqlite3.Connection, payload_id: int) -> None:
        connection.execute("UPDATE stream_state SET last_payload_id = ?", (payload_id,))
        self._last_payload_id = payload_id


def _load_streams(connection: sqlite3.Connection, users: Sequence[UserId]) -> dict[UserId, _Stream]:
    insert_rows(connection, "streams (user_id)", [(user,) for user in users], "ON CONFLICT DO NOTHING")
    loaded: dict[UserId, _Stream] = {}
    by_id: dict[int, _Stream] = {}
    for user_id, stream_id, trimmed_up_to, newest in connection.execute(
        "SELECT user_id, stream_id, trimmed_up_to,"
        " (SELECT max(offset) FROM stream_events WHERE stream_id = streams.stream_id)"
        " FROM streams WHERE user_id IN (SELECT value FROM json_each(?))",
        (json_array(users),),
    ).fetchall():
        head = trimmed_up_to if newest is None else newest
        loaded[user_id] = by_id[stream_id] = _Stream(stream_id, head, trimmed_up_to)
    for stream_id, role, generation, partition, offset, index in connection.execute(
        "SELECT stream_id, role, generation, partition, offset, event_index FROM stream_sources"
        " WHERE stream_id IN (SELECT value FROM json_each(?))",
        (json_array(by_id),),
    ).fetchall():
        by_id[stream_id].taken[role, generation, partition] = (offset, index)
    return loaded


def _store_events(
    connection: sqlite3.Connection,
    payloads: Sequence[tuple[object, ...]],
    events: Sequence[tuple[object, ...]],
) -> None:
    insert_rows(
        connection,
        "stream_payloads (payload_id, conversation_id, message_sequence, appended_at, payload)",
        payloads,
    )
    insert_rows(connection, "stream_events (stream_id, offset, payload_id)", events)


def _store_marks(
    connection: sqlite3.Connection,
    sources: Sequence[tuple[object, ...]],
    activity: Sequence[tuple[object, ...]],
) -> None:
    insert_rows(
        connection,
        "stream_sources (stream_id, role, generation, partition, offset, event_index)",
        sources,
        "ON CONFLICT DO UPDATE SET offset = excluded.offset, event_index = excluded.event_index",
    )
    insert_rows(
        connection,
        "stream_activity (stream_id, conversation_id, activity)",
        activity,
        "ON CONFLICT DO UPDATE SET activity = excluded.activity",
    )
