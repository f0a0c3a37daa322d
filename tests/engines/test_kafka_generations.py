"""A topic of a real Kafka moves to its next generation while it is appended to and read."""

import asyncio
import os
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from confluent_kafka import KafkaError, Producer
from confluent_kafka.admin import AdminClient, NewTopic
from engine_endpoints import VARIABLE, engine_endpoints
from engine_under_test import DEADLINE, eventually
from kafka_platform import PARTITIONS, KafkaPlatform
from log_reader import LogReader, reading

from chat4all_core.adapters.kafka.client_config import client_config
from chat4all_core.adapters.kafka.event_log import open_event_log
from chat4all_core.adapters.kafka.log_admin import KafkaLogAdmin
from chat4all_core.adapters.kafka.topic import physical_name
from chat4all_core.app.open_generation import OpenGeneration, TopicLostError
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.source import Source
from chat4all_core.ports.event_log import GROUPS, MESSAGE_ACCEPTED, EventLog, LogContradictionError
from chat4all_core.ports.generation_registry import GenerationConflictError
from chat4all_core.ports.log_admin import TopicCondition

pytestmark = pytest.mark.skipif(not os.environ.get(VARIABLE), reason="needs a Kafka: see `make test-engines`")

TOPIC = MESSAGE_ACCEPTED
(GROUP,) = GROUPS[TOPIC]


@pytest.fixture
async def platform() -> KafkaPlatform:
    """With the topic in its first generation."""
    platform = KafkaPlatform(engine_endpoints()["kafka"], append_timeout_seconds=30.0)
    await platform.new_topic(TOPIC)
    return platform


def opening(platform: KafkaPlatform, told: list[str]) -> OpenGeneration:
    """The operator's command."""
    return OpenGeneration(
        registry=platform.registry, log=KafkaLogAdmin(platform.section), tell=told.append, sleep=asyncio.sleep
    )


@asynccontextmanager
async def worker(log: EventLog) -> AsyncIterator[LogReader]:
    """A member of the group that reads the topic, which commits what it has read."""
    async with reading(log, TOPIC, GROUP) as reader:

        async def work() -> None:
            while True:
                await reader.commit(await reader.poll())

        working = asyncio.create_task(work())
        try:
            yield reader
        finally:
            working.cancel()
            await asyncio.wait([working])


class Writers:
    """Tasks that append without end, each under its own key, numbers one after the other."""

    def __init__(self, log: EventLog, count: int) -> None:
        self.acknowledged: list[tuple[str, int, Source]] = []
        self.longest = 0.0
        self._log = log
        self._tasks = [asyncio.create_task(self._write(f"key-{n}")) for n in range(count)]

    async def _write(self, key: str) -> None:
        number = 0
        loop = asyncio.get_running_loop()
        while True:
            number += 1
            begun = loop.time()
            source = await self._log.append(TOPIC, key, str(number).encode())
            self.longest = max(self.longest, loop.time() - begun)
            self.acknowledged.append((key, number, source))

    async def until_in(self, generation: int, count: int) -> None:
        """Wait until so many appends to a generation are acknowledged."""

        async def reached() -> bool:
            for task in self._tasks:
                if task.done():
                    task.result()
            return sum(source.generation == generation for _, _, source in self.acknowledged) >= count

        await eventually(reached)

    async def stop(self) -> None:
        """Let nobody write any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)


@asynccontextmanager
async def writing(log: EventLog) -> AsyncIterator[Writers]:
    """Fifty writers."""
    writers = Writers(log, 50)
    try:
        yield writers
    finally:
        await writers.stop()


async def until_read(reader: LogReader, count: int) -> None:
    """Wait until a member has read so many records of content."""

    async def reached() -> bool:
        return sum(not record.is_mark for record in reader.records) >= count

    await eventually(reached)


async def test_nothing_is_lost_doubled_or_reordered(platform: KafkaPlatform) -> None:
    """While fifty tasks append and a worker reads, the topic moves to twice the partitions: no append fails, each is
    read once, each key's in order, and all of the first generation before any of the second."""
    async with platform.open_log() as log, worker(log) as reader:
        async with writing(log) as writers:
            await writers.until_in(1, 500)
            opened = await opening(platform, [])(TOPIC, 2 * PARTITIONS)
            await writers.until_in(2, 500)
        # A writer that was stopped may have had one append more under way.
        await until_read(reader, len(writers.acknowledged))
        print(f"\nlongest append over the move: {writers.longest:.2f} s")
    assert (opened.generation, opened.partitions) == (2, 2 * PARTITIONS)
    by_key: dict[str, list[int]] = defaultdict(list)
    generations = []
    for record in reader.records:
        if not record.is_mark:
            by_key[record.key].append(int(record.value))
            generations.append(record.source.generation)
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in by_key.values())
    assert {(key, n) for key, n, _ in writers.acknowledged} <= {(k, n) for k, found in by_key.items() for n in found}
    assert generations == sorted(generations)
    assert {source.partition for _, _, source in writers.acknowledged} >= set(range(PARTITIONS, PARTITIONS + 2))


async def test_a_sealed_topic_takes_nothing(platform: KafkaPlatform) -> None:
    """Once a topic is sealed, brokers refuse what any producer sends, to every partition, and no end moves."""
    (generation,) = (await platform.registry.current()).values()
    admin = KafkaLogAdmin(platform.section)
    async with platform.open_log() as log:
        await log.append(TOPIC, "key", b"0")
    await admin.seal(generation)
    ends = {p.partition: p.end for p in await admin.positions(generation, [GROUP])}
    refusals = await asyncio.to_thread(_append_everywhere, platform)
    assert refusals == [KafkaError.MSG_SIZE_TOO_LARGE] * PARTITIONS
    assert {p.partition: p.end for p in await admin.positions(generation, [GROUP])} == ends


def _append_everywhere(platform: KafkaPlatform) -> list[int | None]:
    """As a server that knows of no seal does, compressed as far as may be; the errors' codes."""
    answers: list[int | None] = []
    producer = Producer(client_config(platform.section) | {"enable.idempotence": True, "compression.type": "zstd"})
    name = physical_name(platform.section.topic_prefix, TOPIC, 1)
    for partition in range(PARTITIONS):
        producer.produce(
            name, b"", b"key", partition, on_delivery=lambda error, _: answers.append(error and error.code())
        )
    producer.flush(DEADLINE)
    return answers


async def test_appends_wait_for_the_next_generation(platform: KafkaPlatform) -> None:
    """What is appended between seal and opening waits and lands in the next generation in the order of the calls;
    the log stays ready; the command, begun again by another operator, finishes what the first had begun."""
    (generation,) = (await platform.registry.current()).values()
    async with platform.open_log() as log:
        await log.append(TOPIC, "key", b"0")
        await platform.registry.seal(generation)
        await KafkaLogAdmin(platform.section).seal(generation)
        waiting = [asyncio.ensure_future(log.append(TOPIC, "key", str(n).encode())) for n in range(1, 100)]
        assert await log.ready()
        told: list[str] = []
        moving = asyncio.create_task(opening(platform, told)(TOPIC, 3))

        async def waits_for_workers() -> bool:
            return any("waiting" in line for line in told)

        await eventually(waits_for_workers)
        assert not any(append.done() and not append.exception() for append in waiting)
        async with worker(log) as reader:
            await moving
            answers = await asyncio.gather(*waiting, return_exceptions=True)
            # On a slow machine some have been given up meanwhile.
            taken = [n for n, answer in enumerate(answers, 1) if isinstance(answer, Source)]
            assert all(isinstance(a, UnavailableError) for a in answers if not isinstance(a, Source))
            await until_read(reader, 1 + len(taken))
        assert [int(r.value) for r in reader.records if not r.is_mark] == [0, *taken]


async def test_senders_are_told_when_it_takes_long(platform: KafkaPlatform) -> None:
    """What waits longer than an append may is unavailable, with a time after which to try again."""
    (generation,) = (await platform.registry.current()).values()
    impatient = replace(platform.section, append_timeout_seconds=1.0)
    async with open_event_log(impatient, platform.registry, platform.topics) as log:
        await platform.registry.seal(generation)
        await KafkaLogAdmin(platform.section).seal(generation)
        with pytest.raises(UnavailableError) as refused:
            await log.append(TOPIC, "key", b"0")
        assert refused.value.retry_after > 0


async def test_it_waits_for_workers_that_are_behind(platform: KafkaPlatform) -> None:
    """A topic whose workers have much to do is not sealed before they have nearly done it, so that senders do not
    wait for that."""
    async with platform.open_log() as log:
        await asyncio.gather(*(log.append(TOPIC, f"key-{n}", b"0") for n in range(2_500)))
        told: list[str] = []
        moving = asyncio.create_task(opening(platform, told)(TOPIC, 2))

        async def waits() -> bool:
            return bool(told)

        await eventually(waits)
        assert GROUP in told[0]
        assert f"{2_500 + PARTITIONS} records" in told[0]
        await log.append(TOPIC, "key", b"1")
        assert not (await platform.registry.current())[TOPIC].sealed
        async with worker(log):
            assert (await moving).generation == 2


async def test_a_lost_topic_is_succeeded(platform: KafkaPlatform) -> None:
    """A topic that was deleted and made anew is read by nobody as what it was before, a running worker is told; the
    command says that records are lost and goes on only when told to; then the same log works again by itself."""
    async with platform.open_log() as log, reading(log, TOPIC, GROUP) as reader:
        await log.append(TOPIC, "key", b"0")
        await reader.commit(await reader.read(1))
        name = physical_name(platform.section.topic_prefix, TOPIC, 1)
        await asyncio.to_thread(_make_anew, platform, name)
        await asyncio.to_thread(_append_to, platform, name)
        await _until_contradicted(reader)
        assert [record.value for record in reader.records] == [b"0"]
        with pytest.raises(TopicLostError, match="--lost"):
            await opening(platform, [])(TOPIC, PARTITIONS)
        assert not (await platform.registry.current())[TOPIC].sealed
        opened = await opening(platform, [])(TOPIC, PARTITIONS, lost=True)
        assert opened.generation == 2
        await eventually(log.ready)
        source = await log.append(TOPIC, "key", b"1")
        assert source.generation == 2
        assert (await reader.read(1))[0].source == source
        assert await opening(platform, [])(TOPIC, PARTITIONS, lost=True) == opened


def _make_anew(platform: KafkaPlatform, name: str) -> None:
    admin = AdminClient(client_config(platform.section))
    admin.delete_topics([name])[name].result(DEADLINE)
    while name in admin.list_topics(timeout=DEADLINE).topics:
        pass
    admin.create_topics([NewTopic(name, PARTITIONS)])[name].result(DEADLINE)


def _append_to(platform: KafkaPlatform, name: str) -> None:
    """To every partition, as servers may have done before they noticed."""
    producer = Producer(client_config(platform.section))
    for partition in range(PARTITIONS):
        producer.produce(name, b"to the wrong topic", b"key", partition)
    assert producer.flush(DEADLINE) == 0


async def _until_contradicted(reader: LogReader) -> None:
    async with asyncio.timeout(2 * DEADLINE):
        while True:
            try:
                await reader.poll()
            except LogContradictionError:
                return
            except UnavailableError:
                await asyncio.sleep(0.1)


async def test_what_has_another_shape_is_not_taken_up(platform: KafkaPlatform) -> None:
    """A next generation that another operator has begun with other partitions, or that holds records already, is
    left alone."""
    admin = KafkaLogAdmin(platform.section)
    made = await admin.create(TOPIC, 2, 5)
    assert await admin.condition(made) is TopicCondition.AS_REGISTERED
    assert await admin.create(TOPIC, 2, 5) == made
    with pytest.raises(GenerationConflictError, match="5 partitions"):
        await admin.create(TOPIC, 2, 6)
    name = physical_name(platform.section.topic_prefix, TOPIC, 2)
    producer = Producer(client_config(platform.section))
    producer.produce(name, b"value", b"key")
    assert producer.flush(DEADLINE) == 0
    with pytest.raises(GenerationConflictError, match="records"):
        await admin.create(TOPIC, 2, 5)
