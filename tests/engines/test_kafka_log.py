"""The event log on Kafka: what only a real broker shows. The contracts are in tests/contract."""

import asyncio
import os
import signal
import sys
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from confluent_kafka.admin import AdminClient, NewPartitions, NewTopic
from engine_endpoints import VARIABLE
from engine_under_test import DEADLINE, eventually, unique
from kafka_platform import PARTITIONS, KafkaPlatform
from log_reader import LogReader, poll_until_shared, reading
from tools.engines import Engines, FreePorts

from chat4all_core.adapters.kafka.client_config import client_config
from chat4all_core.adapters.kafka.topic import TopicError, physical_name
from chat4all_core.adapters.kafka.topic_admin import ensure_topics
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.source import Source
from chat4all_core.ports.event_log import EventLog, LogContradictionError

pytestmark = pytest.mark.skipif(not os.environ.get(VARIABLE), reason="brings up a Kafka: see `make test-engines`")

READER = Path(__file__).parents[1] / "support" / "kafka_reader_process.py"


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the broker's data lie."""
    return tmp_path_factory.mktemp("engines")


@pytest.fixture(scope="module")
def engines(directory: Path) -> Iterator[Engines]:
    """A Kafka of our own, to be killed."""
    engines = Engines(directory)
    engines.up(["kafka"], ports={"kafka": FreePorts()})
    yield engines
    engines.down(wipe=True)


@pytest.fixture
def platform(engines: Engines) -> KafkaPlatform:
    """With an append timeout that is over soon."""
    return KafkaPlatform(engines.endpoint("kafka"), append_timeout_seconds=2.0, max_unanswered=2_000)


@asynccontextmanager
async def open_with_topic(platform: KafkaPlatform) -> AsyncIterator[tuple[EventLog, str]]:
    """A log and a new topic of it."""
    topic = await platform.new_topic()
    async with platform.open_log() as log:
        yield log, topic


class Senders:
    """Tasks that append without end, each under its own key, one number after the other whatever the answer."""

    def __init__(self, log: EventLog, topic: str, count: int) -> None:
        self.acknowledged: list[tuple[str, int]] = []
        self.refused: list[UnavailableError] = []
        self._log = log
        self._topic = topic
        self._tasks = [asyncio.create_task(self._send(f"key-{n}")) for n in range(count)]

    async def _send(self, key: str) -> None:
        number = 0
        while True:
            number += 1
            try:
                await self._log.append(self._topic, key, str(number).encode())
                self.acknowledged.append((key, number))
            except UnavailableError as error:
                self.refused.append(error)
                await asyncio.sleep(0.05)

    async def until(self, acknowledged: int) -> None:
        """Wait for so many more to be acknowledged."""
        target = len(self.acknowledged) + acknowledged

        async def reached() -> bool:
            return len(self.acknowledged) >= target

        await eventually(reached)

    async def stop(self) -> None:
        """Let nobody send any more."""
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)


async def read_all(log: EventLog, topic: str, until: Callable[[dict[str, list[int]]], bool]) -> dict[str, list[int]]:
    """What is in the log, by key, in its order; read as far as wanted."""
    by_key: defaultdict[str, list[int]] = defaultdict(list)
    async with reading(log, topic, unique("group")) as reader, asyncio.timeout(DEADLINE):
        while not until(by_key):
            for record in await reader.poll():
                by_key[record.key].append(int(record.value))
    return by_key


async def expect_in_order(log: EventLog, topic: str, acknowledged: Sequence[tuple[str, int]]) -> None:
    """Everything acknowledged is in the log, nothing twice, each key's in the order of the calls."""
    by_key = await read_all(log, topic, lambda by_key: all(n in by_key[key] for key, n in acknowledged))
    for numbers in by_key.values():
        assert numbers == sorted(set(numbers))


async def blocking(work: Callable[[], None]) -> None:
    """Do what blocks without blocking the loop."""
    await asyncio.to_thread(work)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_nothing_acknowledged_is_lost_with_a_broker(
    engines: Engines, platform: KafkaPlatform, number: signal.Signals
) -> None:
    """A broker that dies under load and comes back has everything that was acknowledged, once and in order, and the
    log takes records again by itself."""
    async with open_with_topic(platform) as (log, topic):
        senders = Senders(log, topic, 50)
        await senders.until(1_000)
        await blocking(lambda: engines.kill("kafka", number))
        await blocking(lambda: engines.start("kafka"))
        await senders.until(1_000)
        await senders.stop()
        await eventually(log.ready)
        await expect_in_order(log, topic, senders.acknowledged)


async def test_a_frozen_broker_is_unavailable_and_then_goes_on(engines: Engines, platform: KafkaPlatform) -> None:
    """While the broker does not answer, appends fail with a time to wait and the log is not ready; afterwards both
    recover, and what the log took of the failed ones lies in order."""
    async with open_with_topic(platform) as (log, topic):
        senders = Senders(log, topic, 50)
        await senders.until(1_000)
        engines.pause("kafka")
        try:

            async def everybody_is_refused() -> bool:
                return len(senders.refused) >= 100

            await eventually(everybody_is_refused)
            assert not await log.ready()
        finally:
            engines.resume("kafka")
        assert all(error.retry_after > 0 for error in senders.refused)
        await senders.until(1_000)
        await senders.stop()
        await eventually(log.ready)
        await expect_in_order(log, topic, senders.acknowledged)


async def test_a_full_queue_refuses_at_once_and_keeps_the_order(engines: Engines, platform: KafkaPlatform) -> None:
    """Beyond its bound a log whose broker is away refuses without waiting; what it took before and takes after lies
    in the order of the calls."""
    async with open_with_topic(platform) as (log, topic):
        await log.append(topic, "key", b"0")
        engines.pause("kafka")
        try:
            calls = [asyncio.ensure_future(log.append(topic, "key", str(n).encode())) for n in range(1, 2_500)]
            await asyncio.sleep(0)
            refused = {n for n, call in enumerate(calls, 1) if call.done()}
            assert refused == set(range(2_001, 2_500))
        finally:
            engines.resume("kafka")
        answers = await asyncio.gather(*calls, return_exceptions=True)
        await log.append(topic, "key", b"2500")
        taken = [n for n, answer in enumerate(answers, 1) if isinstance(answer, Source)]
        await expect_in_order(log, topic, [("key", n) for n in [*taken, 2_500]])


async def test_a_log_opens_without_kafka(engines: Engines, platform: KafkaPlatform) -> None:
    """Until Kafka is there, a log refuses appends and reads with a time to wait; then it becomes ready by itself."""
    topic = await platform.new_topic()
    engines.stop("kafka")
    try:
        async with platform.open_log() as log, reading(log, topic, "group") as reader:
            assert not await log.ready()
            with pytest.raises(UnavailableError):
                await log.append(topic, "key", b"0")
            with pytest.raises(UnavailableError):
                await reader.poll()
            await blocking(lambda: engines.start("kafka"))
            await eventually(log.ready)
            await log.append(topic, "key", b"1")
            assert [record.value for record in await reader.read(1)] == [b"1"]
    finally:
        engines.start("kafka")


async def test_a_reader_outlives_its_broker(engines: Engines, platform: KafkaPlatform) -> None:
    """A member whose broker is restarted reads on where it was, without a record missing."""
    async with open_with_topic(platform) as (log, topic), reading(log, topic, "group") as reader:
        await asyncio.gather(*(log.append(topic, unique("key"), str(n).encode()) for n in range(100)))
        await reader.commit(await reader.read(100))
        await blocking(lambda: engines.kill("kafka"))
        with_broker_gone = await reader.poll()
        assert list(with_broker_gone) == []
        await blocking(lambda: engines.start("kafka"))
        await eventually(log.ready)
        await asyncio.gather(*(log.append(topic, unique("key"), str(n).encode()) for n in range(100, 200)))
        async with asyncio.timeout(DEADLINE):
            while {int(record.value) for record in reader.records} != set(range(200)):
                await reader.poll()


async def test_what_a_power_cut_took_is_told(engines: Engines, directory: Path, platform: KafkaPlatform) -> None:
    """When a lone broker comes back without records that it had acknowledged, producers go on by themselves, and a
    group that had read further is told instead of skipping what comes there."""
    async with open_with_topic(platform) as (log, topic), reading(log, topic, "group") as reader:
        sources = [await log.append(topic, "key", str(n).encode()) for n in range(100)]
        await reader.commit(await reader.read(100))
        partition = sources[0].partition
        await blocking(lambda: engines.kill("kafka"))
        name = physical_name(platform.section.topic_prefix, topic, 1)
        _cut(directory / "kafka" / "data" / f"{name}-{partition}")
        await blocking(lambda: engines.start("kafka"))

        async def appends_again() -> bool:
            return not await _fails_with_unavailable(log.append(topic, "key", b"again"))

        await eventually(appends_again)
        assert (await log.append(topic, "key", b"again")).offset < sources[-1].offset
        with pytest.raises(LogContradictionError) as contradiction:
            await _poll_until(reader, lambda: False)
        assert contradiction.value.partition == partition


def _cut(partition: Path) -> None:
    """Leave the first half of a partition's only segment, as after a power cut, and nothing that knows of the rest."""
    segment = partition / "00000000000000000000.log"
    os.truncate(segment, segment.stat().st_size // 2)
    for derived in [*partition.glob("*.snapshot"), *partition.glob("*.index"), *partition.glob("*.timeindex")]:
        derived.unlink()


async def test_a_killed_process_is_succeeded(platform: KafkaPlatform) -> None:
    """Partitions move between processes: to one that comes, and to those who stay when another is killed, from what
    it committed."""
    async with open_with_topic(platform) as (log, topic):
        sources = await asyncio.gather(*(log.append(topic, unique("key"), str(n).encode()) for n in range(200)))
        partitions = len({source.partition for source in sources})
        async with reading(log, topic, "group") as reader:
            await reader.commit(await reader.read(200))
            other = await _start_reader(platform, topic, "group")
            try:
                await _poll_until(reader, lambda: 0 < len(reader.assigned) < partitions)
                read_by_other = await _committed_by(other, reader, partitions, log, topic)
                before = len(reader.records)
                other.kill()
                await other.wait()
                await poll_until_shared([reader], partitions)
                # What it had committed does not come again, the rest does.
                await log.append(topic, "last", b"last")
                await _poll_until(reader, lambda: any(record.value == b"last" for record in reader.records))
                again = {record.source for record in reader.records[before:]}
                assert not again & read_by_other
            finally:
                if other.returncode is None:
                    other.kill()
                    await other.wait()


async def _start_reader(platform: KafkaPlatform, topic: str, group: str) -> asyncio.subprocess.Process:
    section, registered = platform.section, (await platform.registry.current())[topic]
    return await asyncio.create_subprocess_exec(
        sys.executable,
        str(READER),
        section.bootstrap_servers[0],
        section.topic_prefix,
        topic,
        str(registered.partitions),
        registered.identity,
        group,
        stdout=asyncio.subprocess.PIPE,
    )


async def _committed_by(
    other: asyncio.subprocess.Process, reader: LogReader, partitions: int, log: EventLog, topic: str
) -> set[Source]:
    """Append until the other process says that it has committed records of all the partitions that it got from the
    reader, which polls meanwhile: a partition is handed over in a poll."""
    committed: set[Source] = set()
    assert other.stdout is not None
    async with asyncio.timeout(DEADLINE):
        while len({source.partition for source in committed} - reader.assigned) < partitions - len(reader.assigned):
            await log.append(topic, unique("key"), b"0")
            await reader.poll()
            try:
                line = await asyncio.wait_for(other.stdout.readline(), 0.05)
            except TimeoutError:
                continue
            generation, partition, offset = map(int, line.split())
            committed.add(Source(generation, partition, offset))
    return committed


async def _poll_until(reader: LogReader, condition: Callable[[], bool]) -> None:
    async def reached() -> bool:
        await reader.poll()
        return condition()

    await eventually(reached)


async def test_topics_are_made_once(platform: KafkaPlatform) -> None:
    """Making topics again changes nothing but what may change."""
    first = await ensure_topics(platform.section, ["topic"], 3, platform.registry)
    assert await ensure_topics(platform.section, ["topic"], 6, platform.registry) == first
    assert list((await platform.registry.current()).values()) == list(first)
    async with platform.open_log("topic") as log:
        assert (await log.append("topic", "key", b"")).generation == 1


async def test_a_topic_that_was_never_made_is_named(platform: KafkaPlatform) -> None:
    """A log does not open with topics that no command has made, and says which."""
    await platform.new_topic()
    with pytest.raises(TopicError, match="missing-topic"):
        async with platform.open_log("missing-topic"):
            pass


@pytest.mark.parametrize("change", ["more partitions", "made anew"])
async def test_a_topic_that_is_not_the_registered_one_is_refused(platform: KafkaPlatform, change: str) -> None:
    """Once somebody re-partitions a topic or makes it anew, an open log takes no more and is not ready, and none
    opens."""
    async with open_with_topic(platform) as (log, topic):
        await log.append(topic, "key", b"0")
        name = physical_name(platform.section.topic_prefix, topic, 1)
        await blocking(lambda: _change_topic(platform, name, change))

        async def is_refused() -> bool:
            await log.ready()
            return await _fails_with_unavailable(log.append(topic, "key", b"1"))

        await eventually(is_refused)
        assert not await log.ready()
    with pytest.raises(TopicError, match="generation"):
        async with platform.open_log():
            pass


def _change_topic(platform: KafkaPlatform, name: str, change: str) -> None:
    admin = AdminClient(client_config(platform.section))
    if change == "more partitions":
        admin.create_partitions([NewPartitions(name, 24)])[name].result(DEADLINE)
        return
    admin.delete_topics([name])[name].result(DEADLINE)
    while name in admin.list_topics(timeout=DEADLINE).topics:
        pass
    admin.create_topics([NewTopic(name, PARTITIONS)])[name].result(DEADLINE)


async def _fails_with_unavailable(append: Awaitable[Source]) -> bool:
    try:
        await append
    except UnavailableError:
        return True
    return False
