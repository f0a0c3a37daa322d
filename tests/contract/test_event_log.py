"""EventLog: what producers may count on."""

import asyncio
import random
from collections import defaultdict

import pytest
from engine_under_test import DEADLINE, EngineUnderTest, unique
from log_reader import reading

from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.source import Source
from chat4all_core.ports.engine import Engine


async def test_a_keys_records_keep_the_order_of_the_calls(engine: Engine, topic: str) -> None:
    """Appends that nobody waits for in between lie in the order of the calls, each key's in one partition."""
    keys = [unique("key") for _ in range(20)]
    calls = [(random.choice(keys), n) for n in range(400)]
    sources = await asyncio.gather(*(engine.log.append(topic, key, str(n).encode()) for key, n in calls))
    of_key: defaultdict[str, list[Source]] = defaultdict(list)
    for (key, _), source in zip(calls, sources, strict=True):
        of_key[key].append(source)
    for places in of_key.values():
        assert places == sorted(places)
        assert len({(place.generation, place.partition) for place in places}) == 1

    async with reading(engine.log, topic, "group") as reader:
        records = await reader.read(len(calls))
    read: defaultdict[str, list[int]] = defaultdict(list)
    for record in records:
        read[record.key].append(int(record.value))
    assert read == {key: [n for k, n in calls if k == key] for key in of_key}


async def test_sources_are_where_records_lie(engine: Engine, topic: str) -> None:
    """The source that an append answers is the record's, no two records share one, and offsets count from 0
    without gaps."""
    values = [str(n).encode() for n in range(200)]
    sources = await asyncio.gather(*(engine.log.append(topic, unique("key"), value) for value in values))
    async with reading(engine.log, topic, "group") as reader:
        records = await reader.read(len(values))
    assert {r.value: r.source for r in records} == dict(zip(values, sources, strict=True))
    offsets: defaultdict[int, set[int]] = defaultdict(set)
    for source in sources:
        offsets[source.partition].add(source.offset)
    assert all(found == set(range(len(found))) for found in offsets.values())
    assert sum(len(found) for found in offsets.values()) == len(values)


async def test_a_record_is_read_as_it_was_written(engine: Engine, topic: str) -> None:
    """Topic, key, bytes and headers come back, also empty ones."""
    await engine.log.append(topic, "ключ", bytes(range(256)), {"traceparent": "00-ab-cd-01", "ü": ""})
    await engine.log.append(topic, "", b"")
    async with reading(engine.log, topic, "group") as reader:
        records = {record.key: record for record in await reader.read(2)}
    assert (records["ключ"].topic, records["ключ"].value) == (topic, bytes(range(256)))
    assert records["ключ"].headers == {"traceparent": "00-ab-cd-01", "ü": ""}
    assert (records[""].value, records[""].headers) == (b"", {})


async def test_what_was_acknowledged_survives(under_test: EngineUnderTest, topic: str) -> None:
    """Records are there when the engine is opened again, and the next ones come after them."""
    async with under_test.open() as engine:
        first = await asyncio.gather(*(engine.log.append(topic, "key", str(n).encode()) for n in range(50)))
    async with under_test.open() as engine:
        next_one = await engine.log.append(topic, "key", b"50")
        assert next_one > max(first)
        async with reading(engine.log, topic, "group") as reader:
            assert [int(r.value) for r in await reader.read(51)] == list(range(51))


async def test_too_many_unanswered_appends_are_refused(under_test: EngineUnderTest, topic: str) -> None:
    """A producer that does not wait is told to, nothing of what was acknowledged is missing, and the log takes
    records again afterwards."""
    count = under_test.max_unanswered * 2
    async with under_test.open() as engine:
        calls = [engine.log.append(topic, "key", str(n).encode()) for n in range(count)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        refused = [answer for answer in answers if isinstance(answer, BaseException)]
        assert refused
        assert all(isinstance(error, UnavailableError) and error.retry_after > 0 for error in refused)
        await engine.log.append(topic, "key", b"last")
        taken = [str(n).encode() for n, answer in enumerate(answers) if isinstance(answer, Source)] + [b"last"]
        async with reading(engine.log, topic, "group") as reader:
            read: list[bytes] = []
            async with asyncio.timeout(DEADLINE):
                while b"last" not in read:
                    read.extend(r.value for r in await reader.poll())
        assert set(taken) <= set(read)


async def test_an_append_that_is_given_up_disturbs_nobody(engine: Engine, topic: str) -> None:
    """When a caller stops waiting, the other appends are answered all the same."""

    async def append(n: int) -> Source:
        return await engine.log.append(topic, "key", str(n).encode())

    tasks = [asyncio.create_task(append(n)) for n in range(20)]
    await asyncio.sleep(0)
    tasks[7].cancel()
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(answer, Source) for n, answer in enumerate(answers) if n != 7)
    with pytest.raises(asyncio.CancelledError):
        await tasks[7]


async def test_an_open_log_is_ready(engine: Engine) -> None:
    """`ready` is true when appends can be expected to succeed."""
    assert await engine.log.ready()
