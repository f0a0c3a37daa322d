"""Asking connectors for deliveries."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from log_reader import reading

from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.adapters.sqlite.engine import SqliteSettings, open_engine
from chat4all_core.adapters.sqlite.event_log import EventLogSettings
from chat4all_core.app.request_deliveries import RequestDeliveries, deliveries_of
from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.delivery import Delivery
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId, UserId
from chat4all_core.domain.message import AcceptedMessage, DeliveryRoute, StoredMessage
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.event_log import EventLog, delivery_requested

ADDRESSES = [ChannelAddress(ChannelName("whatsapp"), f"+551198765432{n}") for n in range(3)]
TOPIC = delivery_requested(ADDRESSES[0].channel)
CODEC = ProtobufEventCodec()


def stored(sequence: int, *routes: DeliveryRoute) -> StoredMessage:
    """A message of a conversation."""
    message = AcceptedMessage(
        MessageId(f"m{sequence}"),
        ConversationId("c"),
        ParticipantId("ann"),
        f"number {sequence}",
        Timestamp(1_700_000_000_000_000),
        1,
        routes=routes,
    )
    return StoredMessage(message, sequence, Source(1, 0, sequence))


async def requested(log: EventLog, count: int) -> Sequence[Delivery]:
    """What connectors of WhatsApp find, in order within each address."""
    async with reading(log, TOPIC, "connector") as reader:
        return [CODEC.decode_delivery(record.value) for record in await reader.read(count)]


async def test_a_delivery_is_asked_for_each_way(tmp_path: Path) -> None:
    """Every address and every route of a message gets a delivery with what the message says, in one topic a channel,
    and under an id that is the same the next time."""
    ben = UserId(ParticipantId("ben"))
    message = stored(7, DeliveryRoute(ben, ADDRESSES[1]))
    async with open_engine(tmp_path, system_clock) as engine:
        for _ in range(2):
            await RequestDeliveries(log=engine.log, codec=CODEC)(deliveries_of(message, ADDRESSES[:1]))
        found = await requested(engine.log, 4)
    assert {(d.recipient, d.to) for d in found} == {
        (ADDRESSES[0].participant, ADDRESSES[0]),
        (ben, ADDRESSES[1]),
    }
    assert {(d.message_id, d.sequence, d.sender, d.text, d.attempt) for d in found} == {("m7", 7, "ann", "number 7", 1)}
    assert len({d.delivery_id for d in found}) == 2


async def test_many_deliveries_keep_their_order(tmp_path: Path) -> None:
    """More deliveries than the log takes at once are asked for in order, address by address."""
    settings = SqliteSettings(event_log=EventLogSettings(max_pending_records=600))
    async with open_engine(tmp_path, system_clock, settings) as engine:
        request = RequestDeliveries(log=engine.log, codec=CODEC)
        await request(d for sequence in range(1, 401) for d in deliveries_of(stored(sequence), ADDRESSES))
        found = await requested(engine.log, 1_200)
    for address in ADDRESSES:
        assert [d.sequence for d in found if d.to == address] == list(range(1, 401))


async def test_none_overtakes_one_that_was_refused(tmp_path: Path) -> None:
    """When the log takes no more, what it has taken is the beginning, with no gap."""
    settings = SqliteSettings(event_log=EventLogSettings(max_pending_records=10))
    to: Sequence[ChannelAddress] = ADDRESSES[:1]
    async with open_engine(tmp_path, system_clock, settings) as engine:
        request = RequestDeliveries(log=engine.log, codec=CODEC)
        with pytest.raises(UnavailableError):
            await request(d for sequence in range(1, 100) for d in deliveries_of(stored(sequence), to))
        found = await requested(engine.log, 10)
    assert [d.sequence for d in found] == list(range(1, 11))
