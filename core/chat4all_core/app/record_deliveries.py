"""What channels tell of deliveries, on its way to senders and into the store."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from chat4all_core.app.event_id import event_id
from chat4all_core.domain.channel import ChannelName, is_user
from chat4all_core.domain.delivery import DeliveryEvidence, resolve
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.domain.source import Source
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.delivery_state_store import DeliveryStateStore
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.ports.message_store import MessageStore
from chat4all_core.ports.user_stream import StreamAppend

_Way = tuple[ConversationId, int, ParticipantId, ChannelName]
"""Conversation, sequence, recipient, channel."""

_Message = tuple[ConversationId, int]
"""Conversation, sequence."""

Entry = tuple[DeliveryEvidence, Source]


class RecordDeliveries:
    """Merges evidence, monotonically, and tells a message's sender when that takes a delivery further. What comes late
    and says less is kept for the history."""

    def __init__(
        self,
        role: str,
        *,
        states: DeliveryStateStore,
        messages: MessageStore,
        conversations: ConversationStore,
        codec: EventCodec,
    ) -> None:
        """`role`: the worker role that appends."""
        self._role = role
        self._states = states
        self._messages = messages
        self._conversations = conversations
        self._codec = codec

    async def appends(self, entries: Sequence[Entry]) -> Sequence[StreamAppend]:
        """What senders are to be told of evidence, given in the order of the log, that is not recorded yet.

        Raises:
            UnavailableError: an engine can't be had now.
        """
        known = await self._known(entries)
        changed = []
        for evidence, source in entries:
            states = known.setdefault(_way(evidence), set())
            before = resolve(states)
            states.add((evidence.attempt, evidence.state))
            after = resolve(states)
            if after is not before:
                changed.append((evidence, source, after))
        senders = await self._senders({_message(evidence) for evidence, _, _ in changed})
        return [
            self._append(evidence, source, state, sender)
            for evidence, source, state in changed
            if (sender := senders[_message(evidence)]) is not None
        ]

    async def record(self, entries: Sequence[Entry]) -> None:
        """Store evidence durably.

        Raises:
            UnavailableError: perhaps not all of it is stored.
        """
        await self._states.record([evidence for evidence, _ in entries])

    async def _known(self, entries: Sequence[Entry]) -> dict[_Way, set[tuple[int, DeliveryState]]]:
        sequences: dict[ConversationId, set[int]] = {}
        for evidence, _ in entries:
            sequences.setdefault(evidence.conversation_id, set()).add(evidence.sequence)
        stored: Sequence[Mapping[int, Sequence[DeliveryEvidence]]] = await asyncio.gather(
            *(self._states.evidence(conversation_id, wanted) for conversation_id, wanted in sequences.items())
        )
        known: dict[_Way, set[tuple[int, DeliveryState]]] = {}
        for by_sequence in stored:
            for of_message in by_sequence.values():
                for evidence in of_message:
                    known.setdefault(_way(evidence), set()).add((evidence.attempt, evidence.state))
        return known

    async def _senders(self, messages: Collection[_Message]) -> Mapping[_Message, UserId | None]:
        # One message often has much evidence in a batch: a group's, on a channel.
        found = await asyncio.gather(*(self._sender(*message) for message in messages))
        return dict(zip(messages, found, strict=True))

    async def _sender(self, conversation_id: ConversationId, sequence: int) -> UserId | None:
        """Who is told of a message's deliveries, or None: nobody."""
        stored = await self._messages.get(conversation_id, sequence)
        if stored is None or not is_user(stored.message.sender):
            return None
        conversation = await self._conversations.get(conversation_id)
        # Whoever has left is told nothing more of the conversation.
        if conversation is None or conversation.participation_of(stored.message.sender) is None:
            return None
        return UserId(stored.message.sender)

    def _append(self, evidence: DeliveryEvidence, source: Source, state: DeliveryState, to: UserId) -> StreamAppend:
        payload = self._codec.delivery_changed(event_id(self._role, source), evidence, state)
        return StreamAppend(self._role, source, 0, [to], payload, evidence.conversation_id)


def _message(evidence: DeliveryEvidence) -> _Message:
    return evidence.conversation_id, evidence.sequence


def _way(evidence: DeliveryEvidence) -> _Way:
    return evidence.conversation_id, evidence.sequence, evidence.recipient, evidence.channel
