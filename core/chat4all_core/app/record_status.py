"""Use case: take evidence of delivery, and changes of membership, to those whom they concern."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chat4all_core.app.event_id import event_id
from chat4all_core.app.record_deliveries import RecordDeliveries
from chat4all_core.domain.channel import users_among
from chat4all_core.domain.delivery import DeliveryEvidence
from chat4all_core.domain.delivery_state import NO_CURSOR, Cursor, DeliveryState, Receipt
from chat4all_core.domain.ids import ConversationId, ParticipantId
from chat4all_core.domain.source import Source
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.delivery_state_store import DeliveryStateStore
from chat4all_core.ports.event_codec import EventCodec, MembershipChanged, Status
from chat4all_core.ports.message_store import MessageStore
from chat4all_core.ports.receipt_store import ReceiptStore
from chat4all_core.ports.user_stream import StreamAppend, UserStream

ROLE = "status"

NEWEST_COVERED = 500
"""Of the messages that a receipt newly covers, only the senders of so many newest ones are told: somebody who
comes back after months must not wake everyone who ever wrote."""


@dataclass(frozen=True, slots=True)
class StatusEntry:
    """A status and the record that holds it."""

    status: Status
    source: Source


class RecordStatus:
    """Merges receipts into cursors, and evidence of channels into deliveries, monotonically, and tells the senders of
    what they newly cover."""

    def __init__(
        self,
        *,
        messages: MessageStore,
        receipts: ReceiptStore,
        delivery_states: DeliveryStateStore,
        conversations: ConversationStore,
        streams: UserStream,
        codec: EventCodec,
    ) -> None:
        self._messages = messages
        self._receipts = receipts
        self._conversations = conversations
        self._streams = streams
        self._codec = codec
        self._deliveries = RecordDeliveries(
            ROLE, states=delivery_states, messages=messages, conversations=conversations, codec=codec
        )

    async def __call__(self, entries: Sequence[StatusEntry]) -> None:
        """Record a batch; afterwards everything is durable. Any part of it may be recorded again.

        Raises:
            UnavailableError: an engine can't be had now.
        """
        moves = await self._moves(_newest_of_each(entries))
        changes = [(e.status, e.source) for e in entries if isinstance(e.status, MembershipChanged)]
        in_log_order = sorted(entries, key=lambda entry: entry.source)
        deliveries = [(e.status, e.source) for e in in_log_order if isinstance(e.status, DeliveryEvidence)]
        appends = await asyncio.gather(
            self._deliveries.appends(deliveries),
            *(self._receipt_appends(move) for move in moves),
            *(self._membership_append(change, source) for change, source in changes),
        )
        # Streams before rows: after a crash in between, the row still says that the senders must be told,
        # and the streams skip what they have.
        in_order = sorted((a for group in appends for a in group), key=lambda a: (a.source, a.index))
        await self._streams.append(in_order)
        await self._receipts.record([move.receipt for move in moves])
        await self._deliveries.record(deliveries)

    async def _moves(self, receipts: Sequence[tuple[Receipt, Source]]) -> Sequence["_Move"]:
        """Those that move a cursor, in the order of the log: a DELIVERED after a READ that covers it moves none."""
        if not receipts:
            return []
        stored = await self._receipts.cursors({receipt.conversation_id for receipt, _ in receipts})
        cursors: dict[tuple[ConversationId, ParticipantId], Cursor] = {}
        moves = []
        for receipt, source in sorted(receipts, key=lambda r: r[1]):
            key = (receipt.conversation_id, receipt.participant)
            before = cursors.get(key) or stored[receipt.conversation_id].get(receipt.participant, NO_CURSOR)
            if _reached(before, receipt.state) < receipt.sequence:
                moves.append(_Move(receipt, source, _reached(before, receipt.state)))
                cursors[key] = before.moved(receipt.state, receipt.sequence)
        return moves

    async def _receipt_appends(self, move: "_Move") -> Sequence[StreamAppend]:
        receipt = move.receipt
        conversation = await self._conversations.get(receipt.conversation_id)
        present = conversation.participation_of(receipt.participant) if conversation else None
        # What was written before somebody joined was not sent to them.
        joined = present.joined_sequence if present else 0
        after = max(move.reached_before, joined, receipt.sequence - NEWEST_COVERED)
        senders = await self._messages.senders(receipt.conversation_id, after, receipt.sequence)
        told = sorted(
            (sender, *senders[sender])
            for sender in users_among(senders)
            # Whoever has left is told nothing more of the conversation.
            if sender != receipt.participant and conversation and conversation.participation_of(sender)
        )
        return [
            StreamAppend(
                ROLE,
                move.source,
                index,
                [sender],
                self._codec.status_changed(
                    event_id(ROLE, move.source, index), replace(receipt, sequence=sequence), message_id
                ),
                receipt.conversation_id,
            )
            for index, (sender, sequence, message_id) in enumerate(told)
        ]

    async def _membership_append(self, change: MembershipChanged, source: Source) -> Sequence[StreamAppend]:
        conversation = await self._conversations.get(change.conversation_id, change.version)
        if conversation is None:
            return []
        # Those who have just left are told too.
        concerned = {
            p.participant
            for version in (change.version - 1, change.version)
            for p in conversation.participants_at(version)
        }
        payload = self._codec.conversation_changed(event_id(ROLE, source), change)
        return [StreamAppend(ROLE, source, 0, sorted(users_among(concerned)), payload, change.conversation_id)]


@dataclass(frozen=True, slots=True)
class _Move:
    """A receipt that moves a cursor."""

    receipt: Receipt
    source: Source
    reached_before: int
    """Everything up to this sequence had the receipt's state before."""


def _newest_of_each(entries: Sequence[StatusEntry]) -> Sequence[tuple[Receipt, Source]]:
    """The highest receipt of each participant, conversation and state: it covers the others of the batch."""
    newest: dict[tuple[ConversationId, str, DeliveryState], tuple[Receipt, Source]] = {}
    for entry in entries:
        if isinstance(entry.status, Receipt):
            receipt = entry.status
            key = (receipt.conversation_id, receipt.participant, receipt.state)
            if key not in newest or newest[key][0].sequence < receipt.sequence:
                newest[key] = (receipt, entry.source)
    return list(newest.values())


def _reached(cursor: Cursor, state: DeliveryState) -> int:
    return cursor.read_up_to if state is DeliveryState.READ else cursor.delivered_up_to
