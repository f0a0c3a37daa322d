"""Receipts and cursors on SQLite."""

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.rows import insert_rows, json_array
from chat4all_core.domain.delivery_state import Cursor, Cursors, DeliveryState, Receipt, StateChange
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId

_Row = tuple[ConversationId, ParticipantId, int, int, int]
"""Conversation, participant, state, up to, time."""

_RAISE_CURSORS = """
    ON CONFLICT (conversation_id, participant) DO UPDATE SET
        delivered_up_to = max(delivered_up_to, excluded.delivered_up_to),
        read_up_to = max(read_up_to, excluded.read_up_to),
        sent_up_to = max(sent_up_to, excluded.sent_up_to)
    WHERE excluded.delivered_up_to > delivered_up_to
        OR excluded.read_up_to > read_up_to
        OR excluded.sent_up_to > sent_up_to
"""

# For each new row, by the index: the next stored one that goes at least as far, and the one before it.
_NEIGHBOURS = """
    SELECT
        (SELECT time FROM receipts WHERE conversation_id = value ->> 0 AND participant = value ->> 1
            AND state = value ->> 2 AND up_to >= value ->> 3 ORDER BY up_to LIMIT 1),
        (SELECT time FROM receipts WHERE conversation_id = value ->> 0 AND participant = value ->> 1
            AND state = value ->> 2 AND up_to < value ->> 3 ORDER BY up_to DESC LIMIT 1)
    FROM json_each(?) ORDER BY key
"""

# Seeks for each participant and state, so that the length of the history does not matter.
_HISTORY = """
    SELECT participant, state, (
        SELECT time FROM receipts AS r
        WHERE r.conversation_id = c.conversation_id AND r.participant = c.participant AND r.state = s.state
            AND r.up_to >= ?2 ORDER BY r.up_to LIMIT 1
    ) AS first_time
    FROM participant_cursors AS c, (SELECT ?3 AS state UNION ALL SELECT ?4) AS s
    WHERE c.conversation_id = ?1 AND c.delivered_up_to >= ?2 AND first_time IS NOT NULL
"""


class SqliteReceiptStore:
    """Implements ReceiptStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, receipts: Sequence[Receipt]) -> None:
        """See ReceiptStore.record."""
        rows = _telling(receipts)
        cursors = [
            (
                receipt.conversation_id,
                receipt.participant,
                receipt.sequence,
                receipt.sequence if receipt.state == DeliveryState.READ else 0,
                0,
            )
            for receipt in receipts
        ]

        def write(connection: sqlite3.Connection) -> None:
            _insert_receipts(connection, rows)
            _raise_cursors(connection, cursors)

        await self._database.write(write)

    async def record_sent(self, sent: Mapping[tuple[ConversationId, UserId], int]) -> None:
        """See ReceiptStore.record_sent."""
        cursors = [(conversation_id, user, 0, 0, sequence) for (conversation_id, user), sequence in sent.items()]
        await self._database.write(lambda connection: _raise_cursors(connection, cursors))

    async def cursors(self, conversation_ids: Collection[ConversationId]) -> Mapping[ConversationId, Cursors]:
        """See ReceiptStore.cursors."""
        wanted = json_array(conversation_ids)
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT conversation_id, participant, delivered_up_to, read_up_to, sent_up_to"
                " FROM participant_cursors WHERE conversation_id IN (SELECT value FROM json_each(?))",
                (wanted,),
            ).fetchall()
        )
        found: dict[ConversationId, dict[ParticipantId, Cursor]] = {c: {} for c in conversation_ids}
        for conversation_id, participant, *up_to in rows:
            found[conversation_id][participant] = Cursor(*up_to)
        return found

    async def history(self, conversation_id: ConversationId, sequence: int) -> Sequence[StateChange]:
        """See ReceiptStore.history."""
        parameters = (conversation_id, sequence, int(DeliveryState.DELIVERED), int(DeliveryState.READ))
        rows = await self._database.read(lambda connection: connection.execute(_HISTORY, parameters).fetchall())
        read_at = {participant: time for participant, state, time in rows if state == DeliveryState.READ}
        changes = [
            StateChange(participant, DeliveryState(state), time)
            for participant, state, time in rows
            if state == DeliveryState.READ or time < read_at.get(participant, time + 1)
        ]
        return sorted(changes, key=lambda change: (change.time, change.participant))


def _telling(receipts: Iterable[Receipt]) -> list[_Row]:
    """Without those that another one makes needless: it goes at least as far and is no later."""
    times: defaultdict[tuple[ConversationId, ParticipantId, int], dict[int, int]] = defaultdict(dict)
    for receipt in receipts:
        by_sequence = times[receipt.conversation_id, receipt.participant, int(receipt.state)]
        known = by_sequence.get(receipt.sequence, receipt.time)
        by_sequence[receipt.sequence] = min(receipt.time, known)
    rows = []
    for key, by_sequence in times.items():
        earliest: int | None = None
        for sequence in sorted(by_sequence, reverse=True):
            if earliest is None or by_sequence[sequence] < earliest:
                earliest = by_sequence[sequence]
                rows.append((*key, sequence, earliest))
    return rows


def _insert_receipts(connection: sqlite3.Connection, rows: Sequence[_Row]) -> None:
    neighbours = connection.execute(_NEIGHBOURS, (json_array(rows),)).fetchall()
    new = []
    for row, (further, nearer) in zip(rows, neighbours, strict=True):
        time = row[4]
        if further is not None and further <= time:
            continue
        if nearer is not None and nearer >= time:
            # Rare: evidence that came out of order, or a clock that was set back.
            connection.execute(
                "DELETE FROM receipts WHERE conversation_id = ? AND participant = ? AND state = ?"
                " AND up_to < ? AND time >= ?",
                row,
            )
        new.append(row)
    insert_rows(
        connection,
        "receipts (conversation_id, participant, state, up_to, time)",
        new,
        "ON CONFLICT DO UPDATE SET time = excluded.time",
    )


def _raise_cursors(
    connection: sqlite3.Connection, cursors: Sequence[tuple[ConversationId, ParticipantId, int, int, int]]
) -> None:
    insert_rows(
        connection,
        "participant_cursors (conversation_id, participant, delivered_up_to, read_up_to, sent_up_to)",
        cursors,
        _RAISE_CURSORS,
    )
