"""DeliveryStateStore: how far deliveries by channels have come."""

import random
from dataclasses import replace

from engine_under_test import EngineUnderTest
from message_rows import new_conversation

from chat4all_core.domain.channel import ChannelName, ProviderId
from chat4all_core.domain.delivery import DeliveryEvidence, DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.engine import Engine

NOW = Timestamp(1_700_000_000_000_000)
BEA = ParticipantId("whatsapp:+5511987654321")
CAI = ParticipantId("telegram:1")


def taken(conversation_id: ConversationId, sequence: int = 1, recipient: ParticipantId = BEA) -> DeliveryEvidence:
    """A channel has taken a message."""
    return DeliveryEvidence(
        conversation_id=conversation_id,
        message_id=MessageId(f"m{sequence}"),
        sequence=sequence,
        recipient=recipient,
        channel=ChannelName(recipient.partition(":")[0]),
        state=DeliveryState.SENT,
        time=NOW,
        provider_id=ProviderId("wamid.1"),
    )


async def test_evidence_is_read_as_it_was_recorded(under_test: EngineUnderTest) -> None:
    """All of it comes back, oldest first, message by message, also when the engine is opened again."""
    conversation_id = new_conversation()
    first = taken(conversation_id)
    failed = replace(
        first,
        state=DeliveryState.FAILED,
        time=Timestamp(NOW + 1),
        provider_id=None,
        failure=DeliveryFailure("131026", "undeliverable", "ask for another number"),
    )
    again = replace(first, attempt=2, time=Timestamp(NOW + 2))
    far = taken(conversation_id, 12_345, CAI)
    async with under_test.open() as engine:
        await engine.delivery_states.record([again, far, failed, first])
    async with under_test.open() as engine:
        found = await engine.delivery_states.evidence(conversation_id, [1, 2, 12_345])
        assert found == {1: [first, failed, again], 12_345: [far]}
        assert await engine.delivery_states.evidence(new_conversation(), [1]) == {}
        assert await engine.delivery_states.evidence(conversation_id, []) == {}
        await engine.delivery_states.record([])


async def test_the_earliest_evidence_of_a_state_stays(engine: Engine) -> None:
    """In whatever order, batches and repetitions evidence is recorded, of each state the earliest is kept."""
    conversation_id = new_conversation()
    rng = random.Random(1)
    evidence = [
        replace(taken(conversation_id, 1, recipient), state=state, time=Timestamp(NOW + late), attempt=attempt)
        for recipient in (BEA, CAI)
        for state in (DeliveryState.SENT, DeliveryState.READ)
        for attempt in (1, 2)
        for late in range(4)
    ]
    for _ in range(3):
        rng.shuffle(evidence)
        for start in range(0, len(evidence), 5):
            await engine.delivery_states.record(evidence[start : start + 5])
    found = await engine.delivery_states.evidence(conversation_id, [1])
    assert len(found[1]) == 8
    assert set(found[1]) == {e for e in evidence if e.time == NOW}


async def test_many_messages_at_once(engine: Engine) -> None:
    """The evidence of a whole page of messages is read at once, however far apart they lie."""
    conversation_id = new_conversation()
    sequences = list(range(950, 1_050))
    recorded = {sequence: taken(conversation_id, sequence) for sequence in sequences}
    await engine.delivery_states.record(list(recorded.values()))
    found = await engine.delivery_states.evidence(conversation_id, sequences)
    assert found == {sequence: [evidence] for sequence, evidence in recorded.items()}
