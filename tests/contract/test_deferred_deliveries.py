"""DeferredDeliveries: queues of people that wait for long."""

import uuid

from engine_under_test import EngineUnderTest

from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.deferred_deliveries import DeferredDelivery
from chat4all_core.ports.engine import Engine


def new_channel() -> ChannelName:
    """Whose queues no other test has."""
    return ChannelName(f"channel{uuid.uuid4().hex}")


def delivery(offset: int, partition: int = 3, generation: int = 1) -> DeferredDelivery:
    """A record of the log."""
    return DeferredDelivery(Source(generation, partition, offset), f"value {generation} {offset}".encode())


async def test_a_queue_keeps_the_order_of_the_log(under_test: EngineUnderTest) -> None:
    """Whatever the order in which deliveries were added, and however often, they come in the log's, those of an
    earlier generation first, also when the engine is opened again."""
    person = ChannelAddress(new_channel(), "+1")
    async with under_test.open() as engine:
        assert await engine.deferred.due_at(person) is None
        assert list(await engine.deferred.first(person, 10)) == []
        await engine.deferred.add(person, [delivery(12)], Timestamp(50))
        await engine.deferred.add(person, [delivery(9), delivery(100)], Timestamp(40))
        await engine.deferred.add(person, [delivery(9), delivery(1, generation=2)], Timestamp(60))
    async with under_test.open() as engine:
        expected = [delivery(9), delivery(12), delivery(100), delivery(1, generation=2)]
        assert list(await engine.deferred.first(person, 10)) == expected
        assert list(await engine.deferred.first(person, 2)) == expected[:2]
        assert await engine.deferred.due_at(person) == 60


async def test_an_empty_queue_is_none(engine: Engine) -> None:
    """Deliveries are taken out one by one; after the last one there is no queue, and there may be one again."""
    person = ChannelAddress(new_channel(), "+1")
    for _ in range(2):
        await engine.deferred.add(person, [delivery(1), delivery(2)], Timestamp(50))
        for _ in range(2):
            await engine.deferred.remove(person, delivery(1).source)
            assert list(await engine.deferred.first(person, 10)) == [delivery(2)]
            assert await engine.deferred.due_at(person) == 50
        await engine.deferred.remove(person, delivery(2).source)
        assert await engine.deferred.due_at(person) is None
        assert list(await engine.deferred.first(person, 10)) == []
        assert list(await engine.deferred.due(person.channel, 3, Timestamp(1_000), 10)) == []


async def test_due_queues_are_found_by_partition(engine: Engine) -> None:
    """Those of one channel and partition whose time has come, the longest due first, and no more than asked for."""
    channel = new_channel()
    due = {"+1": 30, "+2": 10, "+3": 20, "+4": 31}
    for address, due_at in due.items():
        await engine.deferred.add(ChannelAddress(channel, address), [delivery(1)], Timestamp(due_at))
    await engine.deferred.add(ChannelAddress(channel, "+5"), [delivery(1, partition=4)], Timestamp(1))
    await engine.deferred.add(ChannelAddress(new_channel(), "+6"), [delivery(1)], Timestamp(1))
    found = await engine.deferred.due(channel, 3, Timestamp(30), 10)
    assert [person.address for person in found] == ["+2", "+3", "+1"]
    assert [person.address for person in await engine.deferred.due(channel, 3, Timestamp(30), 1)] == ["+2"]
    await engine.deferred.add(ChannelAddress(channel, "+2"), [delivery(1)], Timestamp(90))
    found = await engine.deferred.due(channel, 3, Timestamp(30), 10)
    assert [person.address for person in found] == ["+3", "+1"]
