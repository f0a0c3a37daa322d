"""States of deliveries on Cassandra."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.request_groups import write_batches
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.delivery import DeliveryEvidence, DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.timestamp import Timestamp

_BUCKET = 100  # sequences in a partition; it can't be changed
# The earlier of two times has the higher timestamp and stays; positive until the year 2112, and in order beyond it.
_WRITE_TIME_OF_ZERO = 2**52

_COLUMNS = (
    "conversation_id, sequence, recipient, channel, attempt, state, "
    "message_id, time, provider_id, failure_code, failure_reason, failure_remedy"
)
_CQL = {
    "insert": f"INSERT INTO delivery_states (bucket, {_COLUMNS}) VALUES ({', '.join('?' * 13)}) USING TIMESTAMP ?",
    "select": f"SELECT {_COLUMNS} FROM delivery_states WHERE conversation_id = ? AND bucket = ? AND sequence IN ?",
}


class CassandraDeliveryStateStore:
    """Implements DeliveryStateStore."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._queries = queries

    @classmethod
    async def open(cls, session: Session) -> "CassandraDeliveryStateStore":
        """With its statements prepared."""
        return cls(session, await session.prepare(_CQL))

    async def record(self, evidence: Sequence[DeliveryEvidence]) -> None:
        """See DeliveryStateStore.record."""
        insert = self._queries["insert"]
        statements = [insert.bind(*_values(e)) for e in evidence]
        await self._session.execute_all(write_batches(self._session, statements))

    async def evidence(
        self, conversation_id: ConversationId, sequences: Collection[int]
    ) -> Mapping[int, Sequence[DeliveryEvidence]]:
        """See DeliveryStateStore.evidence."""
        buckets: dict[int, list[int]] = {}
        for sequence in sorted(set(sequences)):
            buckets.setdefault(sequence // _BUCKET, []).append(sequence)
        answers = await self._session.execute_all(
            self._queries["select"].bind(conversation_id, bucket, wanted) for bucket, wanted in buckets.items()
        )
        found: dict[int, list[DeliveryEvidence]] = {}
        for rows in answers:
            for row in rows:
                found.setdefault(row[1], []).append(_from_row(row))
        return {sequence: sorted(known, key=lambda e: (e.time, e.state)) for sequence, known in found.items()}


def _values(evidence: DeliveryEvidence) -> tuple[Any, ...]:
    """For the insert. What is absent is written as empty, for a null would be a tombstone."""
    failure = evidence.failure
    return (
        evidence.sequence // _BUCKET,
        evidence.conversation_id,
        evidence.sequence,
        evidence.recipient,
        evidence.channel,
        evidence.attempt,
        int(evidence.state),
        evidence.message_id,
        evidence.time,
        evidence.provider_id or "",
        *((failure.code, failure.reason, failure.remedy) if failure else ("", "", "")),
        _WRITE_TIME_OF_ZERO - evidence.time,
    )


def _from_row(row: Sequence[Any]) -> DeliveryEvidence:
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
        failure=DeliveryFailure(*failure) if failure[0] else None,
        provider_id=provider_id or None,
    )
