"""Workers as their operators see them."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import aiohttp
from prometheus_client import CollectorRegistry

from chat4all_core.config import load_settings
from chat4all_core.domain.errors import Reason, UnavailableError
from chat4all_core.domain.source import Source
from chat4all_core.ports.event_log import MESSAGE_ACCEPTED, AssignmentListener, Record
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import Tracer
from chat4all_workers.handler import Done
from chat4all_workers.running import running
from chat4all_workers.runtime import Worker
from chat4all_workers.web import build_application, serving


class Log:
    """A log with one record, whose consumer then waits for ever, or fails while the log is away."""

    def __init__(self, *, away: bool = False) -> None:
        self.waits = asyncio.Event()
        self.committed: dict[int, int] = {}
        self.closed = False
        self._away = away
        self._records = [Record(MESSAGE_ACCEPTED, Source(1, 0, 0), "key", b"value")]

    async def append(self, topic: str, key: str, value: bytes, headers: Mapping[str, str] | None = None) -> Source:
        raise AssertionError("nothing is appended here")

    async def ready(self) -> bool:
        return True

    def consumer(self, topic: str, group: str) -> "Log":
        return self

    async def start(self, on_assigned: AssignmentListener, on_revoked: AssignmentListener) -> None:
        await on_assigned([0, 1, 2])

    async def poll(self, max_records: int, timeout: float) -> Sequence[Record]:
        if self._away:
            self.waits.set()
            raise UnavailableError(Reason.UNAVAILABLE, "the log is away", 60)
        if self._records:
            return [self._records.pop()]
        self.waits.set()
        await asyncio.Event().wait()
        raise AssertionError("unreachable")

    async def commit(self, next_offsets: Mapping[int, int]) -> None:
        self.committed.update(next_offsets)

    def rewind(self, next_offsets: Mapping[int, int]) -> None: ...

    def pause(self, partitions: Sequence[int]) -> None: ...

    def resume(self, partitions: Sequence[int]) -> None: ...

    async def close(self) -> None:
        self.closed = True


class Handler:
    """Is done with whatever comes."""

    topic = MESSAGE_ACCEPTED
    role = "router"

    def partitions_changed(self, partitions: Sequence[int]) -> None: ...

    async def handle(self, records: Sequence[Record]) -> Done:
        return Done()


@asynccontextmanager
async def working(log: Log, away: Mapping[str, str] | None = None) -> AsyncIterator[aiohttp.ClientSession]:
    """A worker that waits for more, and a client of its port."""
    worker = Worker(Handler(), log, Metrics(registry := CollectorRegistry()), Tracer("test"))
    async with (
        running([worker], asyncio.Event()),
        serving(build_application([worker], registry, lambda: away or {}), load_settings({}).worker) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client,
    ):
        await log.waits.wait()
        yield client


async def test_it_does_not_wait_for_more_when_asked_to_end() -> None:
    """A worker that waits for records ends at once, after what it had was committed, and leaves its group."""
    log = Log()
    async with working(log):
        pass
    assert log.committed == {0: 1}
    assert log.closed


async def test_it_tells_what_it_does() -> None:
    """Health is 200 with the number of partitions, and the metrics count what was handled."""
    async with working(Log()) as client:
        async with client.get("/healthz") as answer:
            assert answer.status == 200
            assert await answer.json() == {"ready": True, "partitions": {"router": 3}}
        async with client.get("/metrics") as answer:
            assert 'chat4all_worker_records_handled_total{role="router"} 1.0' in await answer.text()


async def test_without_its_log_it_is_not_healthy() -> None:
    """Health is 503 while the log was never read; the worker ends as quickly as ever."""
    async with working(Log(away=True)) as client, client.get("/healthz") as answer:
        assert answer.status == 503


async def test_without_an_engine_it_is_alive_and_not_ready() -> None:
    """Health is 503 and names what is away and why; whether it is alive is another question."""
    async with working(Log(), away={"streams": "no node answers"}) as client:
        async with client.get("/healthz") as answer:
            assert answer.status == 503
            assert await answer.json() == {
                "ready": False,
                "partitions": {"router": 3},
                "away": {"streams": "no node answers"},
            }
        async with client.get("/livez") as answer:
            assert answer.status == 200
