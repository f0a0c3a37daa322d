"""The log of cursor moves.

A partition holds the moves of one participant to one state within 10,000 sequences, so it stays small, and the first
move at or after a sequence is one row of it. Where somebody did not move for longer than that, buckets are empty and
passed over.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.receipt_evidence import Move, Track
from chat4all_core.adapters.cassandra.request_groups import write_batches
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.ids import ConversationId, ParticipantId

_BUCKET = 10_000
_LOOKED_UP_AT_ONCE = 30  # partitions
_PRUNED_AT_ONCE = 100
# The earlier of two times for one sequence has the higher timestamp and stays; positive until the year 2112, and in
# order beyond it.
_WRITE_TIME_OF_ZERO = 2**52

_PARTITION = "conversation_id = ? AND participant = ? AND state = ? AND bucket = ?"
_CQL = {
    "insert": "INSERT INTO receipts (conversation_id, participant, state, bucket, up_to, time)"
    " VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?",
    "delete": f"DELETE FROM receipts USING TIMESTAMP ? WHERE {_PARTITION} AND up_to = ?",
    "first": "SELECT participant, up_to, time FROM receipts"
    " WHERE conversation_id = ? AND participant IN ? AND state = ? AND bucket IN ? AND up_to >= ?"
    " PER PARTITION LIMIT 1",
    "descending": f"SELECT up_to, time FROM receipts WHERE {_PARTITION} AND up_to < ? ORDER BY up_to DESC LIMIT ?",
}


class ReceiptLog:
    """Reads and writes moves."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._queries = queries

    @classmethod
    async def open(cls, session: Session) -> "ReceiptLog":
        """With its statements prepared."""
        return cls(session, await session.prepare(_CQL))

    async def append(self, moves: Iterable[tuple[Track, Move]]) -> None:
        """Store moves of which each leaves behind all that are stored of its track."""
        insert = self._queries["insert"]
        statements = [
            insert.bind(*_partition(track, move.up_to), move.up_to, move.time, _write_time(move))
            for track, move in moves
        ]
        await self._session.execute_all(write_batches(self._session, statements))

    async def insert(self, track: Track, move: Move, frontier: Move) -> None:
        """Store a move that does not leave behind what is stored: only if it tells something, and without those
        that it makes needless. `frontier` is the track's furthest move."""
        if move.up_to <= frontier.up_to:
            further = await self.first_moves(
                track.conversation_id, track.state, {track.participant: frontier.up_to}, move.up_to
            )
            if track.participant in further and further[track.participant].time <= move.time:
                return
        delete = self._queries["delete"]
        needless = [
            delete.bind(_write_time(old), *_partition(track, old.up_to), old.up_to)
            for old in await self._made_needless_by(track, move)
        ]
        await self.append([(track, move)])
        await self._session.execute_all(write_batches(self._session, needless))

    async def first_moves(
        self,
        conversation_id: ConversationId,
        state: DeliveryState,
        reached: Mapping[ParticipantId, int],
        sequence: int,
    ) -> Mapping[ParticipantId, Move]:
        """Each participant's first move to a state that goes at least to a sequence. `reached` has how far each went
        at most; whoever has no such move is left out."""
        found: dict[ParticipantId, Move] = {}
        bucket, width = sequence // _BUCKET, 1
        while missing := [
            p for p, up_to in reached.items() if p not in found and up_to >= max(sequence, bucket * _BUCKET)
        ]:
            buckets = range(bucket, bucket + width)
            found |= await self._first_in(conversation_id, state, missing, buckets, sequence)
            bucket, width = buckets.stop, min(2 * width, _LOOKED_UP_AT_ONCE)
        return found

    async def _first_in(
        self,
        conversation_id: ConversationId,
        state: DeliveryState,
        participants: Sequence[ParticipantId],
        buckets: Collection[int],
        sequence: int,
    ) -> Mapping[ParticipantId, Move]:
        at_once = max(1, _LOOKED_UP_AT_ONCE // len(buckets))
        answers = await self._session.execute_all(
            self._queries["first"].bind(
                conversation_id, participants[start : start + at_once], int(state), list(buckets), sequence
            )
            for start in range(0, len(participants), at_once)
        )
        moves = sorted(((up_to, p, time) for rows in answers for p, up_to, time in rows), reverse=True)
        return {participant: Move(up_to, time) for up_to, participant, time in moves}

    async def _made_needless_by(self, track: Track, move: Move) -> Sequence[Move]:
        """The moves that do not go as far and are no earlier."""
        needless: list[Move] = []
        bucket, below = move.up_to // _BUCKET, move.up_to
        while bucket >= 0:
            rows = await self._session.execute(
                self._queries["descending"].bind(*_partition(track, bucket * _BUCKET), below, _PRUNED_AT_ONCE)
            )
            for up_to, time in rows:
                if time < move.time:
                    return needless
                needless.append(Move(up_to, time))
            if len(rows) < _PRUNED_AT_ONCE:
                bucket -= 1
            else:
                below = rows[-1][0]
        return needless


def _partition(track: Track, up_to: int) -> tuple[Any, ...]:
    return (track.conversation_id, track.participant, int(track.state), up_to // _BUCKET)


def _write_time(move: Move) -> int:
    return _WRITE_TIME_OF_ZERO - move.time
