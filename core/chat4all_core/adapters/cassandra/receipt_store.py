"""Receipts and cursors on Cassandra."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from cachetools import LRUCache

from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.receipt_evidence import Move, Track, telling_moves
from chat4all_core.adapters.cassandra.receipt_log import ReceiptLog
from chat4all_core.adapters.cassandra.request_groups import key_groups, write_batches
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.delivery_state import Cursor, Cursors, DeliveryState, Receipt, StateChange
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.domain.timestamp import Timestamp

_REMEMBERED = 100_000
_NO_MOVE = Move(0, Timestamp(-1))

_UPDATE = "UPDATE participant_cursors USING TIMESTAMP ?"
_OF_PARTICIPANT = "WHERE conversation_id = ? AND participant = ?"
_CQL = {
    "delivered": f"{_UPDATE} SET delivered_up_to = ?, delivered_at = ? {_OF_PARTICIPANT}",
    "read": f"{_UPDATE} SET read_up_to = ?, read_at = ? {_OF_PARTICIPANT}",
    "sent": f"{_UPDATE} SET sent_up_to = ? {_OF_PARTICIPANT}",
    "frontiers": "SELECT conversation_id, delivered_up_to, delivered_at, read_up_to, read_at"
    " FROM participant_cursors WHERE conversation_id IN ? AND participant = ?",
    "cursors": "SELECT conversation_id, participant, delivered_up_to, read_up_to, sent_up_to"
    " FROM participant_cursors WHERE conversation_id IN ?",
}


class CassandraReceiptStore:
    """Implements ReceiptStore.

    It remembers how far those went whose receipts it recorded, so that a receipt usually costs no reading. Should
    somebody else record for the same conversation meanwhile, cursors stay exact, and a time in the history may be
    wrong by as much as the clocks of those who took the receipts differ.
    """

    def __init__(self, session: Session, log: ReceiptLog, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._log = log
        self._queries = queries
        self._frontiers: LRUCache[Track, Move] = LRUCache(_REMEMBERED)

    @classmethod
    async def open(cls, session: Session) -> "CassandraReceiptStore":
        """With its statements prepared."""
        return cls(session, await ReceiptLog.open(session), await session.prepare(_CQL))

    async def record(self, receipts: Sequence[Receipt]) -> None:
        """See ReceiptStore.record."""
        moves = telling_moves(receipts)
        before = await self._read_frontiers(moves)
        frontiers = dict(before)
        in_order = []
        for track, of_track in moves.items():
            for move in of_track:
                if move.leaves_behind(frontiers[track]):
                    in_order.append((track, move))
                else:
                    await self._log.insert(track, move, frontiers[track])
                if move.up_to >= frontiers[track].up_to:
                    frontiers[track] = move
        # The log before the cursors: once a cursor has moved, nobody records the move again.
        await self._log.append(in_order)
        await self._write(self._cursor_writes({t: f for t, f in frontiers.items() if f.up_to > before[t].up_to}))
        self._frontiers.update(frontiers)

    async def record_sent(self, sent: Mapping[tuple[ConversationId, UserId], int]) -> None:
        """See ReceiptStore.record_sent."""
        query = self._queries["sent"]
        await self._write(
            query.bind(sequence, sequence, conversation_id, user) for (conversation_id, user), sequence in sent.items()
        )

    async def cursors(self, conversation_ids: Collection[ConversationId]) -> Mapping[ConversationId, Cursors]:
        """See ReceiptStore.cursors."""
        answers = await self._session.execute_all(
            self._queries["cursors"].bind_for(key, group)
            for key, group in key_groups(self._session, conversation_ids, str.encode)
        )
        found: dict[ConversationId, dict[ParticipantId, Cursor]] = {c: {} for c in conversation_ids}
        for rows in answers:
            for conversation_id, participant, delivered, read, sent in rows:
                found[conversation_id][participant] = Cursor(max(delivered or 0, read or 0), read or 0, sent or 0)
        return found

    async def history(self, conversation_id: ConversationId, sequence: int) -> Sequence[StateChange]:
        """See ReceiptStore.history."""
        rows = await self._session.execute(
            self._queries["cursors"].bind_for(conversation_id.encode(), [conversation_id])
        )
        reached = {
            DeliveryState.DELIVERED: {participant: delivered or 0 for _, participant, delivered, _, _ in rows},
            DeliveryState.READ: {participant: read or 0 for _, participant, _, read, _ in rows},
        }
        delivered, read = await asyncio.gather(
            *(self._log.first_moves(conversation_id, state, up_to, sequence) for state, up_to in reached.items())
        )
        changes = [StateChange(p, DeliveryState.READ, move.time) for p, move in read.items()]
        changes += [
            StateChange(p, DeliveryState.DELIVERED, move.time)
            for p, move in delivered.items()
            if p not in read or move.time < read[p].time
        ]
        return sorted(changes, key=lambda change: (change.time, change.participant))

    async def _read_frontiers(self, tracks: Iterable[Track]) -> dict[Track, Move]:
        """Each track's furthest move."""
        frontiers = {track: self._frontiers[track] for track in tracks if track in self._frontiers}
        unknown: dict[ParticipantId, set[ConversationId]] = {}
        for track in tracks:
            if track not in frontiers:
                unknown.setdefault(track.participant, set()).add(track.conversation_id)
        # One by one they would cost as much as all that follows, where each receipt is in another conversation.
        for found in await asyncio.gather(*(self._stored_frontiers(*of_one) for of_one in unknown.items())):
            frontiers = found | frontiers
        return {track: frontiers.get(track, _NO_MOVE) for track in tracks}

    async def _stored_frontiers(
        self, participant: ParticipantId, conversation_ids: Collection[ConversationId]
    ) -> dict[Track, Move]:
        answers = await self._session.execute_all(
            self._queries["frontiers"].bind_for(key, group, participant)
            for key, group in key_groups(self._session, conversation_ids, str.encode)
        )
        found = {}
        for conversation_id, delivered, delivered_at, read, read_at in (row for rows in answers for row in rows):
            if delivered is not None:
                track = Track(conversation_id, participant, DeliveryState.DELIVERED)
                found[track] = Move(delivered, delivered_at)
            if read is not None:
                found[Track(conversation_id, participant, DeliveryState.READ)] = Move(read, read_at)
        return found

    def _cursor_writes(self, frontiers: Mapping[Track, Move]) -> Iterable[Any]:
        for track, move in frontiers.items():
            query = self._queries["read" if track.state is DeliveryState.READ else "delivered"]
            yield query.bind(move.up_to, move.up_to, move.time, track.conversation_id, track.participant)

    async def _write(self, statements: Iterable[Any]) -> None:
        await self._session.execute_all(write_batches(self._session, statements))
