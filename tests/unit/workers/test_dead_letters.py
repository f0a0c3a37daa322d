"""Records that can't be handled, from the worker that rejects them to where operators find them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from engine_under_test import eventually
from prometheus_client import CollectorRegistry

from chat4all_core.adapters.sqlite.engine import SqliteSettings, open_engine
from chat4all_core.adapters.sqlite.event_log import EventLogSettings
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.event_log import Record
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import Tracer
from chat4all_workers.handler import Done, Handler, Rejection
from chat4all_workers.handlers.dead_letter import DeadLetterHandler
from chat4all_workers.runtime import Worker


class Picky:
    """Rejects what is not b"good"."""

    topic = "topic"
    role = "picky"

    def __init__(self, code: str = "UNREADABLE") -> None:
        self.handled: list[bytes] = []
        self._code = code

    def partitions_changed(self, partitions: Sequence[int]) -> None:
        """There is no state."""

    async def handle(self, records: Sequence[Record]) -> Done:
        self.handled += [record.value for record in records]
        return Done([Rejection(r, "not good", self._code, "be good") for r in records if r.value != b"good"])


@asynccontextmanager
async def working(data_dir: Path, *handlers: Handler) -> AsyncIterator[Engine]:
    """An engine with one partition a topic, and a worker for each handler and for dead letters."""
    settings = SqliteSettings(event_log=EventLogSettings(partitions=1))
    async with open_engine(data_dir, lambda: Timestamp(77), settings) as engine:
        metrics = Metrics(CollectorRegistry())
        workers = [
            Worker(handler, engine.log, metrics, Tracer("test"), lambda: Timestamp(77), max_rejections=5)
            for handler in (*handlers, DeadLetterHandler(engine.dead_letters))
        ]
        running = [asyncio.create_task(worker.run()) for worker in workers]
        yield engine
        for worker in workers:
            worker.stop()
        await asyncio.gather(*running)


async def test_a_rejected_record_is_found_by_operators(tmp_path: Path) -> None:
    """With its topic, key and value, and the reason, when and what helps; records that are good go by."""
    async with working(tmp_path, Picky()) as engine:
        for value in (b"good", b"bad"):
            await engine.log.append("topic", "key", value)

        async def is_listed() -> bool:
            return bool(await engine.dead_letters.list(None, 10))

        await eventually(is_listed)
        (letter,) = await engine.dead_letters.list(None, 10)
    assert (letter.topic, letter.key, letter.value) == ("topic", "key", b"bad")
    assert (letter.code, letter.reason, letter.remedy, letter.rejected_at) == ("UNREADABLE", "not good", "be good", 77)


async def test_a_release_that_reads_nothing_empties_no_topic(tmp_path: Path) -> None:
    """After some unreadable records in a row the partition stands; a worker that can read them finds them all."""
    async with working(tmp_path) as engine:
        for _ in range(20):
            await engine.log.append("topic", "key", b"bad")
    async with working(tmp_path, picky := Picky()) as engine:

        async def has_tried() -> bool:
            return len(picky.handled) >= 20

        await eventually(has_tried)
    async with working(tmp_path, better := Picky("EXPECTED")) as engine:

        async def are_listed() -> bool:
            return len(await engine.dead_letters.list(None, 100)) == 20

        await eventually(are_listed)
    assert len(better.handled) == 20
