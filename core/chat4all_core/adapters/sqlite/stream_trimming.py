"""Forgetting the oldest events of user streams."""

import sqlite3

_CHUNK = 1_000


def trim_stream(connection: sqlite3.Connection, stream_id: int, up_to: int) -> None:
    """Delete a stream's events up to an offset, noting which messages they announced that were not
    acknowledged."""
    connection.execute(
        "INSERT INTO stream_unacknowledged (stream_id, conversation_id, message_sequence, offset)"
        " SELECT e.stream_id, p.conversation_id, max(p.message_sequence), e.offset"
        " FROM streams AS s JOIN stream_events AS e USING (stream_id)"
        " JOIN stream_payloads AS p USING (payload_id)"
        " WHERE s.stream_id = ? AND e.offset <= ? AND e.offset > s.acknowledged_up_to"
        " AND p.message_sequence > 0 GROUP BY p.conversation_id"
        " ON CONFLICT DO UPDATE SET"
        " message_sequence = max(message_sequence, excluded.message_sequence), offset = excluded.offset",
        (stream_id, up_to),
    )
    connection.execute("DELETE FROM stream_events WHERE stream_id = ? AND offset <= ?", (stream_id, up_to))
    connection.execute("UPDATE streams SET trimmed_up_to = ? WHERE stream_id = ?", (up_to, stream_id))


def first_payload_since(connection: sqlite3.Connection, time: int) -> int | None:
    """The oldest payload that is to be kept when those from before a time are not; None when there are none of
    those."""
    oldest = connection.execute("SELECT appended_at FROM stream_payloads ORDER BY payload_id LIMIT 1").fetchone()
    if oldest is None or oldest[0] >= time:
        return None
    row = connection.execute(
        "SELECT payload_id FROM stream_payloads WHERE appended_at >= ? ORDER BY payload_id LIMIT 1", (time,)
    ).fetchone()
    if row is None:
        row = connection.execute("SELECT last_payload_id + 1 FROM stream_state").fetchone()
    return int(row[0])


def expired_streams(
    connection: sqlite3.Connection, after: int, first_kept: int
) -> tuple[int | None, list[tuple[str, int, int]]]:
    """Look at the next streams in the order of their ids.

    Args:
        connection: any.
        after: the id of the last stream that was looked at.
        first_kept: the oldest payload to keep.

    Returns:
        The id to go on after, or None at the end; and for each stream with older events its user, its id
        and the offset of the last older one.
    """
    rows = connection.execute(
        "SELECT user_id, stream_id, (SELECT payload_id FROM stream_events"
        " WHERE stream_id = streams.stream_id ORDER BY offset LIMIT 1)"
        " FROM streams WHERE stream_id > ? ORDER BY stream_id LIMIT ?",
        (after, _CHUNK),
    ).fetchall()
    expired = [
        (user_id, stream_id, _last_before(connection, stream_id, first_kept))
        for user_id, stream_id, oldest in rows
        if oldest is not None and oldest < first_kept
    ]
    return (rows[-1][1] if len(rows) == _CHUNK else None), expired


def delete_payloads_before(connection: sqlite3.Connection, first_kept: int) -> bool:
    """Delete some payloads that no stream holds any more; whether there may be others."""
    deleted = connection.execute(
        "DELETE FROM stream_payloads WHERE payload_id IN"
        " (SELECT payload_id FROM stream_payloads WHERE payload_id < ? ORDER BY payload_id LIMIT ?)",
        (first_kept, _CHUNK),
    )
    return deleted.rowcount == _CHUNK


def _last_before(connection: sqlite3.Connection, stream_id: int, first_kept: int) -> int:
    (offset,) = connection.execute(
        "SELECT max(offset) FROM stream_events WHERE stream_id = ? AND payload_id < ?",
        (stream_id, first_kept),
    ).fetchone()
    return int(offset)
