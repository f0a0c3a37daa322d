"""States of deliveries on SQLite."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.rows import insert_rows, json_array
from chat4all_core.domain.delivery import DeliveryEvidence, DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.timestamp import Timestamp

_KEY = "conversation_id, sequence, recipient, channel, attempt, state"
_CONTENT = ("message_id", "time", "provider_id", "failure_code", "failure_reason", "failure_remedy")
_COLUMNS = f"{_KEY}, {', '.join(_CONTENT)}"
_KEEP_EARLIEST = (
    f"ON CONFLICT ({_KEY}) DO UPDATE SET "
    + ", ".join(f"{column} = excluded.{column}" for column in _CONTENT)
    + " WHERE excluded.time < delivery_states.time"
)


class SqliteDeliveryStateStore:
    """Implements DeliveryStateStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def record(self, evidence: Sequence[DeliveryEvidence]) -> None:
        """See DeliveryStateStore.record."""
        if not evidence:
            return
        # One statement can't change a row twice, so those that another one of the batch forestalls are left out.
        earliest = {row[:6]: row for row in sorted(map(_to_row, evidence), key=lambda row: row[7], reverse=True)}
        await self._database.write(
            lambda connection: insert_rows(
                connection, f"delivery_states ({_COLUMNS})", list(earliest.values()), _KEEP_EARLIEST
            )
        )

    async def evidence(
        self, conversation_id: ConversationId, sequences: Collection[int]
    ) -> Mapping[int, Sequence[DeliveryEvidence]]:
        """See DeliveryStateStore.evidence."""

        def select(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
            return connection.execute(
                f"SELECT {_COLUMNS} FROM delivery_states WHERE conversation_id = ?"
                " AND sequence IN (SELECT value FROM json_each(?)) ORDER BY time, state",
                (conversation_id, json_array(sequences)),
            ).fetchall()

        found: dict[int, list[DeliveryEvidence]] = {}
        for row in await self._database.read(select) if sequences else ():
            found.setdefault(row[1], []).append(_from_row(row))
        return found


def _to_row(evidence: DeliveryEvidence) -> tuple[Any, ...]:
    failure = evidence.failure
    return (
        evidence.conversation_id,
        evidence.sequence,
        evidence.recipient,
        evidence.channel,
        evidence.attempt,
        int(evidence.state),
        evidence.message_id,
        evidence.time,
        evidence.provider_id,
        *((failure.code, failure.reason, failure.remedy) if failure else (None, None, None)),
    )


def _from_row(row: tuple[Any, ...]) -> DeliveryEvidence:
    conversation_id, sequence, recipient, channel, attempt, state, message_id, time, provider_id, *failure = row
    return DeliveryEvidence(
        conversation_id=conversation_id,
        message_id=message_id,
        sequence=sequence,
        recipient=recipient,
        channel=channel,
        state=DeliveryState(state),
        time=Timestamp(time),
        attempt=attempt,
        failure=None if failure[0] is None else DeliveryFailure(*failure),
        provider_id=provider_id,
    )
