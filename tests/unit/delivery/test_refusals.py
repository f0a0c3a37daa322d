"""What can't be delivered, in virtual time."""

import asyncio
from dataclasses import replace

from connector_world import TOPIC, ConnectorWorld, now
from scripted_channel import ScriptedAccount, answering
from virtual_time import virtual

from chat4all_channels.outcome import Refused, RetryAfter, Scope
from chat4all_core.domain.delivery import DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.ports.event_log import DEAD_LETTER
from chat4all_workers.dead_letter import from_record

FAILURE = DeliveryFailure("131026", "not on the network", "ask for another number")


@virtual
async def test_what_is_refused_for_good_is_a_dead_letter() -> None:
    """It is FAILED with the channel's code and a remedy, lies with its history among the dead letters, and the
    person's next message goes out."""
    account = ScriptedAccount(
        now, answer=answering({"1": [RetryAfter(1, Scope.RECIPIENT, "131000", "hiccup"), Refused(FAILURE)]})
    )
    world = ConnectorWorld(account)
    delivery = await world.request("+1")
    await world.request("+1")
    await world.run_to_the_end()
    failed, sent = world.evidence()
    assert (failed.state, failed.failure) == (DeliveryState.FAILED, FAILURE)
    assert sent.state is DeliveryState.SENT
    (record,) = world.log.all(DEAD_LETTER)
    letter = from_record(record)
    assert (letter.code, letter.reason, letter.remedy) == (FAILURE.code, FAILURE.reason, FAILURE.remedy)
    assert [event.what for event in letter.history] == ["131000: hiccup"]
    assert (letter.topic, letter.key, world.codec.decode_delivery(letter.value)) == (TOPIC, "+1", delivery)


@virtual
async def test_what_was_told_of_a_refused_message_is_not_told_again() -> None:
    """Of a text in parts, of which the second is refused, the next attempt tells the second and the third alone."""
    parts = ["a" * 40, "b" * 40, "c" * 40]
    world = ConnectorWorld(account := ScriptedAccount(now, answer=answering({parts[1]: [Refused(FAILURE)]})))
    delivery = await world.request("+1", "".join(parts))
    await world.run_to_the_end()
    assert [told.text for told in account.accepted] == parts[:1]
    for _ in range(2):
        again = replace(delivery, attempt=2)
        await world.log.append(TOPIC, "+1", world.codec.encode_delivery(again))
    await world.run_to_the_end()
    assert [told.text for told in account.accepted] == parts
    assert [(each.attempt, each.state) for each in world.evidence()] == [
        *((1, DeliveryState.FAILED), (2, DeliveryState.SENT))
    ]


@virtual
async def test_a_record_that_can_t_be_read_is_a_dead_letter() -> None:
    """It is rejected with the reason, and holds up nobody, not even the person whose key it has."""
    world = ConnectorWorld()
    await world.log.append(TOPIC, "+1", b"\xff")
    await world.request("+1")
    await world.run_to_the_end()
    letters = [from_record(record) for record in world.log.all(DEAD_LETTER)]
    assert [(letter.topic, letter.value, letter.code) for letter in letters] == [(TOPIC, b"\xff", "UNREADABLE")]
    assert len(world.account.accepted) == 1


@virtual
async def test_a_long_row_of_refusals_stops_nothing() -> None:
    """Far more people in a row than a partition's limit who are not on the network: each of their messages is a dead
    letter, and whoever comes after them is told."""
    account = ScriptedAccount(now, answer=answering({"not there": [Refused(FAILURE)] * 1_000}))
    world = ConnectorWorld(account, partitions=1)
    for number in range(1_000):
        await world.request(f"+{number}", "not there")
    await world.request("+1000")
    await world.run_to_the_end(world.connector(max_rejections=10), hours=1)
    assert [told.to for told in account.accepted] == ["+1000"]
    assert len(world.log.all(DEAD_LETTER)) == 1_000


@virtual
async def test_too_many_unreadable_records_stop_their_partition() -> None:
    """A release that can read nothing does not empty a topic: after some unreadable records in a row the partition
    stands, which a metric tells, and a process that can do better goes on from there."""
    world = ConnectorWorld(partitions=1)
    for number in range(50):
        await world.log.append(TOPIC, f"+{number}", b"\xff")
    connector = world.connector(max_rejections=10)
    running = asyncio.create_task(connector.run())
    await asyncio.sleep(600)
    assert 'chat4all_worker_partitions_halted{role="connector.whatsapp"} 1.0' in world.metrics()
    connector.stop()
    await running
    assert len(world.log.all(DEAD_LETTER)) < 50
    assert not world.is_all_committed()
    await world.run_to_the_end()
    assert len({record.value for record in world.log.all(DEAD_LETTER)}) == 1
    assert len({from_record(record).dead_letter_id for record in world.log.all(DEAD_LETTER)}) == 50
