"""Dead letters on SQLite."""

import json
from collections.abc import Sequence
from typing import Any

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.expiry import KEPT
from chat4all_core.adapters.sqlite.rows import insert_rows
from chat4all_core.domain.dead_letter import DeadLetter, DeadLetterEvent, DeadLetterId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.dead_letter_store import DeadLetterPosition

_COLUMNS = "dead_letter_id, topic, key, value, code, reason, rejected_at, remedy, history, redriven_at"


class SqliteDeadLetterStore:
    """Implements DeadLetterStore."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        """See DeadLetterStore.put."""
        expires_at = self._clock() + KEPT
        rows = [(*_to_row(letter), expires_at) for letter in letters]
        await self._database.write(
            lambda connection: insert_rows(
                connection, f"dead_letters ({_COLUMNS}, expires_at)", rows, "ON CONFLICT DO NOTHING"
            )
        )

    async def get(self, dead_letter_id: DeadLetterId) -> DeadLetter | None:
        """See DeadLetterStore.get."""
        rows = await self._select("WHERE dead_letter_id = ?", dead_letter_id)
        return _from_row(rows[0]) if rows else None

    async def list(self, before: DeadLetterPosition | None, limit: int) -> Sequence[DeadLetter]:
        """See DeadLetterStore.list."""
        newest_first = "ORDER BY rejected_at DESC, dead_letter_id DESC LIMIT ?"
        if before is None:
            rows = await self._select(newest_first, limit)
        else:
            rows = await self._select(
                f"WHERE (rejected_at, dead_letter_id) < (?, ?) {newest_first}",
                before.rejected_at,
                before.dead_letter_id,
                limit,
            )
        return [_from_row(row) for row in rows]

    async def mark_redriven(self, dead_letter_id: DeadLetterId, at: Timestamp) -> None:
        """See DeadLetterStore.mark_redriven."""
        await self._database.write(
            lambda connection: connection.execute(
                "UPDATE dead_letters SET redriven_at = ? WHERE dead_letter_id = ?", (at, dead_letter_id)
            )
        )

    async def _select(self, clause: str, *parameters: Any) -> Sequence[tuple[Any, ...]]:
        return await self._database.read(
            lambda connection: connection.execute(
                f"SELECT {_COLUMNS} FROM dead_letters {clause}", parameters
            ).fetchall()
        )


def _to_row(letter: DeadLetter) -> tuple[Any, ...]:
    return (
        letter.dead_letter_id,
        letter.topic,
        letter.key,
        letter.value,
        letter.code,
        letter.reason,
        letter.rejected_at,
        letter.remedy,
        json.dumps([[event.time, event.what] for event in letter.history], ensure_ascii=False),
        letter.redriven_at,
    )


def _from_row(row: tuple[Any, ...]) -> DeadLetter:
    *values, history, redriven_at = row
    events = tuple(DeadLetterEvent(Timestamp(time), what) for time, what in json.loads(history))
    return DeadLetter(*(*values, events, redriven_at))
