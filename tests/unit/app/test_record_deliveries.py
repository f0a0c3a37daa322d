"""Evidence of channels, in any order, any number of times."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from itertools import pairwise
from typing import cast

from hypothesis import given
from hypothesis import strategies as st
from message_rows import message_rows, user

from chat4all.status.v1 import event_pb2
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.app.record_deliveries import RecordDeliveries
from chat4all_core.domain.channel import ChannelName
from chat4all_core.domain.conversation import Conversation, ConversationType, Participation, Role
from chat4all_core.domain.delivery import DeliveryEvidence, resolve
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId
from chat4all_core.domain.message import StoredMessage
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.message_store import MessageStore

CONVERSATION = ConversationId("c")


class Stores:
    """One message, and what is known of it."""

    def __init__(self) -> None:
        self.known: list[DeliveryEvidence] = []

    async def record(self, evidence: Sequence[DeliveryEvidence]) -> None:
        self.known += evidence

    async def evidence(
        self, conversation_id: ConversationId, sequences: Collection[int]
    ) -> Mapping[int, Sequence[DeliveryEvidence]]:
        return {1: list(self.known)} if self.known else {}


class Messages:
    async def get(self, conversation_id: ConversationId, sequence: int) -> StoredMessage:
        return message_rows(conversation_id, [1])[0]


class Conversations:
    async def get(self, conversation_id: ConversationId, at_least_version: int = 0) -> Conversation:
        stay = Participation(user("user 1"), Role.MEMBER, 1, None, 0)
        return Conversation(conversation_id, ConversationType.GROUP, "", user("user 1"), Timestamp(0), 1, (stay,))


def evidence(attempt: int, state: DeliveryState) -> DeliveryEvidence:
    return DeliveryEvidence(
        CONVERSATION,
        MessageId("m"),
        1,
        ParticipantId("whatsapp:+5511987654321"),
        ChannelName("whatsapp"),
        state,
        Timestamp(1_700_000_000_000_000),
        attempt,
    )


@given(
    told=st.lists(st.tuples(st.integers(1, 3), st.sampled_from(DeliveryState)), max_size=12),
    sizes=st.lists(st.integers(1, 4), min_size=12, max_size=12),
    crashes=st.sets(st.integers(0, 11)),
)
def test_whatever_comes_is_told_once(
    told: Sequence[tuple[int, DeliveryState]], sizes: Sequence[int], crashes: set[int]
) -> None:
    """Senders hear of each change of what all evidence gives, in order, whatever the batches are, and when a crash
    between streams and rows has a batch handled again; a stream passes over what it has."""
    events: dict[Source, DeliveryState] = {}
    stores = Stores()
    recording = RecordDeliveries(
        "status",
        states=stores,
        messages=cast(MessageStore, Messages()),
        conversations=cast(ConversationStore, Conversations()),
        codec=ProtobufEventCodec(),
    )

    async def run() -> None:
        log = [(evidence(*each), Source(1, 0, offset)) for offset, each in enumerate(told)]
        start = 0
        for number, size in enumerate(sizes):
            batch, start = log[start : start + size], start + size
            for _ in range(2 if number in crashes else 1):
                for append in await recording.appends(batch):
                    event = event_pb2.Event.FromString(append.payload)
                    state = DeliveryState(event.status_changed.state)
                    assert events.setdefault(append.source, state) is state
            await recording.record(batch)

    asyncio.run(run())
    states = [resolve(told[:count]) for count in range(len(told) + 1)]
    assert list(events.values()) == [after for before, after in pairwise(states) if after != before]
