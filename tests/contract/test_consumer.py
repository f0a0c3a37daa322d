"""Consumer: what a member of a group may count on."""

import asyncio
from collections.abc import Sequence

import pytest
from engine_under_test import DEADLINE, EngineUnderTest, eventually, unique
from log_reader import poll_until_shared, reading

from chat4all_core.ports.engine import Engine
from chat4all_core.ports.event_log import LogContradictionError, Record


async def fill(engine: Engine, topic: str, count: int = 300) -> int:
    """Append records to every partition; the number of partitions."""
    sources = await asyncio.gather(*(engine.log.append(topic, unique("key"), str(n).encode()) for n in range(count)))
    return len({source.partition for source in sources})


def values(records: Sequence[Record]) -> list[int]:
    """What `fill` wrote, sorted."""
    return sorted(int(record.value) for record in records)


async def test_poll_wakes_for_a_new_record(engine: Engine, topic: str) -> None:
    """A poll that waits ends when a record comes."""
    async with reading(engine.log, topic, "group") as reader:
        await reader.poll()
        poll = asyncio.create_task(reader.poll(timeout=2 * DEADLINE))
        await engine.log.append(topic, "key", b"1")
        assert values(await asyncio.wait_for(poll, DEADLINE)) == [1]


async def test_poll_gives_at_most_what_is_asked_for(engine: Engine, topic: str) -> None:
    """Batches are bounded, nothing is skipped between them, and an empty one ends them."""
    await fill(engine, topic, 50)
    async with reading(engine.log, topic, "group") as reader:
        async with asyncio.timeout(DEADLINE):
            while len(reader.records) < 50:
                assert len(await reader.poll(7)) <= 7
        assert values(reader.records) == list(range(50))
        assert await reader.poll() == []


async def test_a_consumer_that_lags_behind_misses_nothing(engine: Engine, topic: str) -> None:
    """However much was appended since the last poll, every partition goes on where it was, and the same consumer
    keeps up again afterwards."""
    async with reading(engine.log, topic, "group") as reader:
        for _ in range(3):
            await reader.poll()
            await fill(engine, topic, 400)
            before = len(reader.records)
            await reader.read(400, max_records=30)
            assert values(reader.records[before:]) == list(range(400))
        offsets: dict[int, list[int]] = {}
        for record in reader.records:
            offsets.setdefault(record.source.partition, []).append(record.source.offset)
        assert all(found == list(range(len(found))) for found in offsets.values())


async def test_each_group_reads_everything(engine: Engine, topic: str) -> None:
    """Groups do not take records from each other."""
    await fill(engine, topic, 50)
    async with reading(engine.log, topic, "one") as one, reading(engine.log, topic, "two") as two:
        assert values(await one.read(50)) == values(await two.read(50)) == list(range(50))


async def test_a_group_goes_on_from_what_it_committed(under_test: EngineUnderTest, topic: str) -> None:
    """After a restart the committed records do not come again, and the others do."""
    async with under_test.open() as engine:
        await fill(engine, topic, 60)
        async with reading(engine.log, topic, "group") as reader:
            first = await reader.read(20, max_records=20)
            await reader.commit(first)
            await reader.read(20, max_records=20)
    async with under_test.open() as engine, reading(engine.log, topic, "group") as reader:
        assert values([*first, *await reader.read(60 - len(first))]) == list(range(60))


async def test_members_share_the_partitions(engine: Engine, topic: str) -> None:
    """Two members have about half of the partitions each, none twice, and together read everything once."""
    partitions = await fill(engine, topic)
    async with reading(engine.log, topic, "group", "a") as a, reading(engine.log, topic, "group", "b") as b:
        await poll_until_shared([a, b], partitions)
        assert a.assigned.isdisjoint(b.assigned)
        assert abs(len(a.assigned) - len(b.assigned)) <= 1


async def test_partitions_are_handed_over_before_they_are_taken(engine: Engine, topic: str) -> None:
    """A member that comes gets partitions only after their owner's on_revoked has returned, and goes on from
    what was committed."""
    partitions = await fill(engine, topic)
    diary: list[tuple[str, str, tuple[int, ...]]] = []
    async with reading(engine.log, topic, "group", "a", diary) as a:
        await a.commit(await a.read(300))
        async with reading(engine.log, topic, "group", "b", diary) as b:
            await poll_until_shared([a, b], partitions)
            assert b.records == []
            owner: dict[int, str] = {}
            for who, what, moved in diary:
                for partition in moved:
                    if what == "assigned":
                        assert partition not in owner
                        owner[partition] = who
                    else:
                        assert owner.pop(partition) == who
            await fill(engine, topic, 100)
            async with asyncio.timeout(DEADLINE):
                while len(a.records) + len(b.records) < 400:
                    await asyncio.gather(a.poll(), b.poll())
            assert values(a.records[300:] + b.records) == list(range(100))


async def test_a_member_that_leaves_is_succeeded(engine: Engine, topic: str) -> None:
    """The partitions of one that closes go to those who stay, and closing tells it so."""
    partitions = await fill(engine, topic)
    diary: list[tuple[str, str, tuple[int, ...]]] = []
    async with reading(engine.log, topic, "group", "a", diary) as a:
        async with reading(engine.log, topic, "group", "b", diary) as b:
            await poll_until_shared([a, b], partitions)
        assert b.assigned == set()
        assert diary[-1][:2] == ("b", "revoked")
        await poll_until_shared([a], partitions)


async def test_the_last_commit_comes_before_the_successor(engine: Engine, topic: str) -> None:
    """What a member commits while it hands over counts: its successor goes on after it."""
    partitions = await fill(engine, topic)
    async with reading(engine.log, topic, "group", "a") as a:
        a.commits_when_revoked = True
        await a.read(300)
        async with reading(engine.log, topic, "group", "b") as b:
            await poll_until_shared([a, b], partitions)
            assert b.records == []
    async with reading(engine.log, topic, "group", "c") as c:
        await poll_until_shared([c], partitions)
        await fill(engine, topic, 20)
        assert values(await c.read(20)) == list(range(20))


async def test_a_silent_member_is_taken_for_dead(engine: Engine, topic: str) -> None:
    """A member that does not poll loses its partitions to one that does, its later commits for them change nothing,
    and when it polls again it is told of the loss, joins anew and goes on from what was committed by others."""
    partitions = await fill(engine, topic)
    async with reading(engine.log, topic, "group", "silent") as silent:
        held = await silent.read(300)
        async with reading(engine.log, topic, "group", "successor") as successor:
            await poll_until_shared([successor], partitions)
            await silent.commit(held)
        assert values(await silent.read(300)) == list(range(300))
        what_happened = [what for _, what, _ in silent.diary]
        assert (what_happened[0], what_happened[-1]) == ("assigned", "assigned")
        assert "revoked" in what_happened


async def test_a_poll_that_is_given_up_loses_nothing(engine: Engine, topic: str) -> None:
    """Whatever a poll has got when its caller is cancelled comes with the next one, unless that goes elsewhere."""
    async with reading(engine.log, topic, "group") as reader:
        await poll_until_shared([reader], 1)
        for number in range(20):
            poll = asyncio.create_task(reader.consumer.poll(1_000, DEADLINE))
            await engine.log.append(topic, "key", str(number).encode())
            poll.cancel()
            await asyncio.wait([poll])
            if not poll.cancelled():
                reader.records.extend(poll.result())
        await reader.read(20 - len(reader.records))
        assert [int(record.value) for record in reader.records] == list(range(20))


async def test_rewind_gives_records_again(engine: Engine, topic: str) -> None:
    """After going back, a partition's records come again from there, and other partitions go on."""
    await fill(engine, topic, 100)
    async with reading(engine.log, topic, "group") as reader:
        records = await reader.read(100)
        partition = records[0].source.partition
        reader.consumer.rewind({partition: 1})
        of_partition = [r for r in records if r.source.partition == partition]
        assert await reader.read(len(of_partition) - 1) == of_partition[1:]
        assert await reader.poll() == []


async def test_a_paused_partition_waits(engine: Engine, topic: str) -> None:
    """A paused partition gives nothing while the others do, and everything once it is resumed."""
    partitions = await fill(engine, topic, 100)
    async with reading(engine.log, topic, "group") as reader:
        await poll_until_shared([reader], partitions)
        await reader.read(100 - len(reader.records))
        paused = min(reader.assigned)
        reader.consumer.pause([paused])
        await fill(engine, topic, 100)
        seen = len(reader.records)

        async def others_are_read() -> bool:
            await reader.poll()
            return {r.source.partition for r in reader.records[seen:]} == reader.assigned - {paused}

        await eventually(others_are_read)
        reader.consumer.resume([paused])
        await reader.read(200 - len(reader.records))
        assert values(reader.records[seen:]) == list(range(100))


async def test_a_pause_ends_when_the_partition_is_lost(engine: Engine, topic: str) -> None:
    """What a member had paused when it was taken for dead it reads as soon as it has it again."""
    partitions = await fill(engine, topic)
    async with reading(engine.log, topic, "group", "silent") as silent:
        await silent.read(300)
        silent.consumer.pause(sorted(silent.assigned))
        await silent.poll()
        async with reading(engine.log, topic, "group", "successor") as successor:
            await poll_until_shared([successor], partitions)
        assert values(await silent.read(300)) == list(range(300))


async def test_a_pause_ends_when_the_partition_is_handed_over(engine: Engine, topic: str) -> None:
    """A partition that was paused when its member gave it to another is read when it comes back; others wait on."""
    partitions = await fill(engine, topic)
    async with reading(engine.log, topic, "group", "a") as a:
        records = await a.read(300)
        a.consumer.pause(sorted(a.assigned))
        async with reading(engine.log, topic, "group", "b") as b:
            await poll_until_shared([a, b], partitions)
            moved = set(b.assigned)
        expected = [r for r in records if r.source.partition in moved]
        again = await a.read(len(expected))
        assert sorted(r.source for r in again) == sorted(r.source for r in expected)
        assert await a.poll() == []


async def test_a_position_beyond_the_end_is_a_contradiction(under_test: EngineUnderTest, topic: str) -> None:
    """A committed offset that the log never reached is reported with its partition, again and again, without a
    record of the others being lost."""
    async with under_test.open() as engine:
        source = await engine.log.append(topic, "key", b"0")
        async with reading(engine.log, topic, "group") as reader:
            await reader.read(1)
            await reader.consumer.commit({source.partition: 1_000_000})
    async with under_test.open() as engine:
        partitions = await fill(engine, topic)
        async with reading(engine.log, topic, "group") as reader:
            for _ in range(2):
                with pytest.raises(LogContradictionError) as contradiction:
                    await reader.read(10_000)
                assert contradiction.value.partition == source.partition
            reader.consumer.pause([source.partition])
            await poll_until_shared([reader], partitions)

            async def others_are_read() -> bool:
                await reader.poll()
                return {r.source.partition for r in reader.records} == reader.assigned - {source.partition}

            await eventually(others_are_read)


async def test_a_rewind_beyond_the_end_is_a_contradiction(engine: Engine, topic: str) -> None:
    """Going to a place that does not exist is not quietly taken for the end."""
    source = await engine.log.append(topic, "key", b"0")
    async with reading(engine.log, topic, "group") as reader:
        await reader.read(1)
        reader.consumer.rewind({source.partition: 5})
        with pytest.raises(LogContradictionError):
            await reader.poll()
