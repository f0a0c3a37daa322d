"""The event log on SQLite."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass

from chat4all_core.adapters.sqlite.consumer import SqliteConsumer
from chat4all_core.adapters.sqlite.consumer_group import ConsumerGroup
from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.log_appender import AppendJob, LogAppender, Pending, Place
from chat4all_core.adapters.sqlite.log_record import MAX_PARTITIONS, Topic
from chat4all_core.adapters.sqlite.log_tail import LogTail
from chat4all_core.adapters.sqlite.log_topic import LogTopic
from chat4all_core.domain.errors import Reason, UnavailableError
from chat4all_core.domain.source import Source
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.event_log import Consumer, Record


@dataclass(frozen=True, slots=True)
class EventLogSettings:
    """How the log is kept and read."""

    partitions: int = 12
    """Of topics that are created from now on."""
    max_pending_records: int = 20_000
    """Appends that may be unanswered before more are refused."""
    max_pending_bytes: int = 64 << 20
    """Bytes of their values."""
    tail_records: int = 20_000
    """The newest records of each topic that are kept in memory for its consumers."""
    tail_bytes: int = 32 << 20
    """Bytes of their values."""
    session_timeout: float = 30.0
    """Seconds without a poll after which a member of a group is taken for dead, if another waits for its
    partitions."""


class SqliteEventLog:
    """Implements EventLog for one process."""

    def __init__(self, database: Database, clock: Clock, settings: EventLogSettings | None = None) -> None:
        self._database = database
        self._settings = settings or EventLogSettings()
        if not 1 <= self._settings.partitions <= MAX_PARTITIONS:
            raise ValueError(f"partitions must be 1 to {MAX_PARTITIONS}")
        self._loop = asyncio.get_running_loop()
        self._appender = LogAppender(clock, self._settings.partitions)
        database.on_rollback(self._appender.forget)
        self._pending: deque[Pending] = deque()
        self._drain_queued = False
        self._unanswered = 0
        self._unanswered_bytes = 0
        self._topics: dict[str, LogTopic] = {}
        self._groups: dict[tuple[str, str], ConsumerGroup] = {}

    def append(self, topic: str, key: str, value: bytes, headers: Mapping[str, str] | None = None) -> Awaitable[Source]:
        """See EventLog.append."""
        future: asyncio.Future[Source] = self._loop.create_future()
        if (
            self._unanswered >= self._settings.max_pending_records
            or self._unanswered_bytes + len(value) > self._settings.max_pending_bytes
        ):
            future.set_exception(UnavailableError(Reason.UNAVAILABLE, "too many appends are waiting", 1.0))
            return future
        self._unanswered += 1
        self._unanswered_bytes += len(value)
        self._pending.append((topic, key, value, headers, future))
        if not self._drain_queued:
            self._queue_drain()
        return future

    def consumer(self, topic: str, group: str) -> Consumer:
        """See EventLog.consumer."""
        return SqliteConsumer(self._database, lambda: self._join(topic, group))

    async def ready(self) -> bool:
        """See EventLog.ready."""
        if self._unanswered >= self._settings.max_pending_records:
            return False
        if not self._database.healthy:
            try:
                await self._database.write(_probe)
            except UnavailableError:
                return False
        return True

    def _queue_drain(self) -> None:
        job = AppendJob(self._appender, self._take)
        self._drain_queued = True
        try:
            written = self._database.submit(job, lambda places: self._answer(job.batch or [], places))
        except UnavailableError as error:
            self._refuse(self._take(), error)
            return
        written.add_done_callback(lambda done: self._refuse_if_failed(job, done))

    def _take(self) -> list[Pending]:
        # Called in the writer's thread. The flag goes first: an append that comes in between queues one
        # drain too many, which then finds nothing.
        self._drain_queued = False
        return [self._pending.popleft() for _ in range(len(self._pending))]

    def _answer(self, batch: Sequence[Pending], places: Sequence[Place]) -> None:
        touched = set()
        for (name, key, value, headers, future), (topic, partition, offset) in zip(batch, places, strict=True):
            self._unanswered -= 1
            self._unanswered_bytes -= len(value)
            source = Source(topic.generation, partition, offset)
            log_topic = self._topics.get(name)
            if log_topic is not None:
                log_topic.push(Record(name, source, key, value, dict(headers) if headers else {}))
                touched.add(log_topic)
            if not future.done():
                future.set_result(source)
        for log_topic in touched:
            log_topic.notify()

    def _refuse_if_failed(self, job: AppendJob, done: "asyncio.Future[list[Place]]") -> None:
        error = done.exception()
        if error is not None:
            # When the transaction failed before the job ran, its records are still pending.
            self._refuse(self._take() if job.batch is None else job.batch, error)

    def _refuse(self, batch: Sequence[Pending], error: BaseException) -> None:
        for _, _, value, _, future in batch:
            self._unanswered -= 1
            self._unanswered_bytes -= len(value)
            if not future.done():
                future.set_exception(error)

    async def _join(self, topic_name: str, group_name: str) -> tuple[LogTopic, ConsumerGroup]:
        def register(connection: sqlite3.Connection) -> Topic:
            topic = self._appender.topic(connection, topic_name)
            connection.execute(
                "INSERT INTO consumer_groups (topic_id, name) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (topic.topic_id, group_name),
            )
            return topic

        topic = await self._database.write(register)
        if topic_name not in self._topics:
            tail = LogTail(self._settings.tail_records, self._settings.tail_bytes)
            self._topics[topic_name] = LogTopic(topic, tail, self._database)
        if (topic_name, group_name) not in self._groups:
            self._groups[topic_name, group_name] = ConsumerGroup(
                group_name, topic.partitions, self._settings.session_timeout, self._loop.time
            )
        return self._topics[topic_name], self._groups[topic_name, group_name]


def _probe(connection: sqlite3.Connection) -> None:
    # As large as a batch of records: a small row might still fit where they do not.
    connection.execute("INSERT INTO write_probe (content) VALUES (zeroblob(65536))")
    connection.execute("DELETE FROM write_probe")
