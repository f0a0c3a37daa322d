"""A connector whose process is killed while it tells a channel what it has."""

import asyncio
import random
import sys
from collections import Counter, defaultdict
from pathlib import Path

import connector_process
from connector_process import WHATSAPP, read_evidence
from tools.simulators import Channel, Fault, FaultKind, Schedule, Simulators

from chat4all_channels.opaque import from_opaque
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.adapters.sqlite.engine import open_engine
from chat4all_core.domain.channel import ChannelAddress
from chat4all_core.domain.delivery import Delivery, delivery_id_for
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.event_log import delivery_requested

_PEOPLE = 20
_DELIVERIES = 240
_KILLS = 3


async def test_each_message_is_told_once_over_kills(tmp_path: Path) -> None:
    """Over several kill -9 of the connector, and while the channel asks for pauses and drops connections, the channel
    hears each message once and each person's in order. Those of which nobody knows are UNKNOWN, and no more than
    calls were under way; the others are SENT."""
    await _request_all(tmp_path)
    async with Simulators() as simulators:
        simulators.faults.add(Fault(Channel.WHATSAPP, FaultKind.RATE_LIMIT, schedule=Schedule(every=120)))
        drops = simulators.faults.add(Fault(Channel.WHATSAPP, FaultKind.ACCEPT_THEN_DROP, schedule=Schedule(every=90)))
        rng = random.Random(11)
        for kill in range(1, _KILLS + 1):
            child = await _start(tmp_path, simulators.url)
            while len(simulators.accepted.read()) < kill * _DELIVERIES // (_KILLS + 2) and child.returncode is None:
                await asyncio.sleep(0.01)
            await asyncio.sleep(rng.uniform(0, 0.2))
            child.kill()
            await child.wait()
        child = await _start(tmp_path, simulators.url)
        assert await child.wait() == 0
        heard = simulators.accepted.read()
        dropped = drops.struck
    async with open_engine(tmp_path, system_clock) as engine:
        evidence = await read_evidence(engine, ProtobufEventCodec(), _DELIVERIES)

    states: dict[int, set[DeliveryState]] = defaultdict(set)
    for each in evidence:
        states[each.sequence].add(each.state)
    unknown = {sequence for sequence, found in states.items() if DeliveryState.UNKNOWN in found}
    sent = {sequence for sequence, found in states.items() if found == {DeliveryState.SENT}}
    assert sent | unknown == set(range(1, _DELIVERIES + 1))
    assert len(unknown) <= _KILLS * _PEOPLE + dropped

    told: dict[str, list[int]] = defaultdict(list)
    for message in heard:
        reference = from_opaque(message.opaque or "")
        assert reference is not None
        told[message.recipient].append(reference.sequence)
    assert all(sequences == sorted(sequences) for sequences in told.values())
    times = Counter(sequence for sequences in told.values() for sequence in sequences)
    assert set(times.values()) == {1}
    assert sent <= set(times) <= sent | unknown


async def _request_all(data_dir: Path) -> None:
    codec = ProtobufEventCodec()
    async with open_engine(data_dir, system_clock) as engine:
        for sequence in range(1, _DELIVERIES + 1):
            to = ChannelAddress(WHATSAPP, f"+5511900000{sequence % _PEOPLE:03}")
            message_id = MessageId(f"message-{sequence}")
            delivery = Delivery(
                delivery_id=delivery_id_for(message_id, to.participant, to),
                conversation_id=ConversationId(f"conversation-{to.address}"),
                message_id=message_id,
                sequence=sequence,
                sender=ParticipantId("ann"),
                recipient=to.participant,
                to=to,
                text=f"message {sequence}",
                accepted_at=system_clock(),
            )
            await engine.log.append(delivery_requested(WHATSAPP), to.address, codec.encode_delivery(delivery))


async def _start(data_dir: Path, url: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, connector_process.__file__, str(data_dir), url, str(_DELIVERIES)
    )
