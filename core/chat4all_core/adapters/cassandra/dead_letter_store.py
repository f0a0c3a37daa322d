"""Dead letters on Cassandra."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chat4all_core.adapters.cassandra.delivery_ledger import KEPT_SECONDS
from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.dead_letter import DeadLetter, DeadLetterEvent, DeadLetterId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.dead_letter_store import DeadLetterPosition

_DAY = 24 * 3_600 * SECOND
_END = DeadLetterPosition(Timestamp(2**62), DeadLetterId(""))
_COLUMNS = "dead_letter_id, topic, key, value, code, reason, rejected_at, remedy, history"
_CQL = {
    "get": f"SELECT {_COLUMNS}, redriven_at FROM dead_letters WHERE dead_letter_id = ?",
    "add_day": f"INSERT INTO dead_letter_days (part, day) VALUES (0, ?) USING TTL {KEPT_SECONDS}",
    "days": "SELECT day FROM dead_letter_days WHERE part = 0 AND day <= ?",
    "list": "INSERT INTO dead_letters_by_day (day, rejected_at, dead_letter_id)"
    f" VALUES (?, ?, ?) USING TTL {KEPT_SECONDS}",
    "listed": "SELECT dead_letter_id FROM dead_letters_by_day WHERE day = ?"
    " AND (rejected_at, dead_letter_id) < (?, ?) LIMIT ?",
}
_CONDITIONAL_CQL = {
    "put": f"INSERT INTO dead_letters ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    f" IF NOT EXISTS USING TTL {KEPT_SECONDS}",
    "redriven": f"UPDATE dead_letters USING TTL {KEPT_SECONDS} SET redriven_at = ? WHERE dead_letter_id = ? IF EXISTS",
}


class CassandraDeadLetterStore:
    """Implements DeadLetterStore."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._queries = queries

    @classmethod
    async def open(cls, session: Session) -> "CassandraDeadLetterStore":
        """With its statements prepared."""
        conditional = await session.prepare(_CONDITIONAL_CQL, idempotent=False)
        return cls(session, await session.prepare(_CQL) | conditional)

    async def put(self, letters: Sequence[DeadLetter]) -> None:
        """See DeadLetterStore.put."""
        for letter in letters:
            outcome = await self._session.execute_conditional(self._queries["put"].bind(*_to_row(letter)))
            # Also for one that was there: whoever put it may have ended before it was listed.
            rejected_at = letter.rejected_at if outcome.applied else outcome.values["rejected_at"]
            day = rejected_at // _DAY
            await self._session.execute(self._queries["add_day"].bind(day))
            await self._session.execute(self._queries["list"].bind(day, rejected_at, letter.dead_letter_id))

    async def get(self, dead_letter_id: DeadLetterId) -> DeadLetter | None:
        """See DeadLetterStore.get."""
        found = await self._read([dead_letter_id])
        return found[0] if found else None

    async def list(self, before: DeadLetterPosition | None, limit: int) -> Sequence[DeadLetter]:
        """See DeadLetterStore.list."""
        found: list[DeadLetter] = []
        end = before or _END
        for (day,) in await self._session.execute(self._queries["days"].bind(end.rejected_at // _DAY)):
            missing = limit - len(found)
            rows = await self._session.execute(
                self._queries["listed"].bind(day, end.rejected_at, end.dead_letter_id, missing)
            )
            found += await self._read([dead_letter_id for (dead_letter_id,) in rows])
            if len(rows) == missing:
                break
        return found

    async def mark_redriven(self, dead_letter_id: DeadLetterId, at: Timestamp) -> None:
        """See DeadLetterStore.mark_redriven."""
        await self._session.execute_conditional(self._queries["redriven"].bind(at, dead_letter_id))

    async def _read(self, ids: Sequence[DeadLetterId]) -> Sequence[DeadLetter]:
        answers = await self._session.execute_all([self._queries["get"].bind(each) for each in ids])
        # Of a letter that is not kept any more, the mark of its redrive may be left.
        return [_from_row(row) for rows in answers for row in rows if row[1] is not None]


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
    )


def _from_row(row: Sequence[Any]) -> DeadLetter:
    *values, history, redriven_at = row
    events = tuple(DeadLetterEvent(Timestamp(time), what) for time, what in json.loads(history))
    return DeadLetter(*(*values, events, redriven_at))
