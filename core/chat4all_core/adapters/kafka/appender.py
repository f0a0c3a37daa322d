"""Appending: bounded, in the order of the calls, answered when every in-sync replica has the record."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import structlog
from confluent_kafka import KafkaError, KafkaException

from chat4all_core.adapters.kafka.client_config import client_config, is_fatal, unavailable
from chat4all_core.adapters.kafka.lane import Append, Lane
from chat4all_core.adapters.kafka.polled_producer import Headers, PolledProducer, Report
from chat4all_core.adapters.kafka.topic import Topic, TopicError
from chat4all_core.adapters.kafka.topic_catalog import TopicCatalog
from chat4all_core.config import KafkaSection
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.source import Source

_log = structlog.get_logger(__name__)

_MAX_UNANSWERED_BYTES = 64 << 20

_FAILING_SECONDS = 5.0
"""So long after an append has failed, the next ones are not expected to succeed unless one has."""

_MOVE_PAUSE = 0.05
"""Between two looks whether a topic has moved: senders wait no longer than it takes, and this."""


class Appender:
    """The producing side of the log, for the running event loop, until `close`."""

    def __init__(self, section: KafkaSection, catalog: TopicCatalog) -> None:
        self._loop = asyncio.get_running_loop()
        self._catalog = catalog
        self._max_unanswered = section.max_unanswered
        self._timeout = section.append_timeout_seconds
        self._config = _producer_config(section)
        self._lanes: dict[str, Lane] = {}
        self._numbers = count()
        self._unanswered = 0
        self._unanswered_bytes = 0
        self._failing_until = 0.0
        self._closed_because = ""
        self._replacing: asyncio.Task[None] | None = None
        self._producer = PolledProducer(self._config, self._answer)

    @property
    def failing(self) -> bool:
        """Whether the last appends have failed or are refused."""
        return bool(self._closed_because) or self._is_full(0) or self._loop.time() < self._failing_until

    def append(
        self, topic: Topic, key: str, value: bytes, headers: Mapping[str, str] | None
    ) -> "asyncio.Future[Source]":
        """See EventLog.append. `topic` is as the catalog has it now."""
        future: asyncio.Future[Source] = self._loop.create_future()
        if self._closed_because:
            future.set_exception(unavailable(self._closed_because))
        elif self._is_full(len(value)):
            future.set_exception(unavailable("too many appends are waiting"))
        else:
            lane = self._lanes.get(topic.name) or self._lanes.setdefault(topic.name, Lane(topic))
            encoded: Headers | None = list(headers.items()) if headers else None
            append = Append(next(self._numbers), self._loop.time(), lane, key.encode(), value, encoded, future)
            self._unanswered += 1
            self._unanswered_bytes += len(value)
            if lane.mover is None and lane.topic is topic:
                self._produce(append)
            else:
                self._hold(append)
        return future

    async def close(self) -> None:
        """Wait until everything is answered, which takes no longer than two appends may."""
        if self._replacing is not None:
            await self._replacing
        self._closed_because = "it is closed"
        await asyncio.gather(*(lane.mover for lane in self._lanes.values() if lane.mover is not None))
        await self._producer.close(self._timeout)

    def _is_full(self, size: int) -> bool:
        if self._unanswered >= self._max_unanswered:
            return True
        return self._unanswered > 0 and self._unanswered_bytes + size > _MAX_UNANSWERED_BYTES

    def _produce(self, append: Append) -> None:
        topic = append.lane.topic
        try:
            self._producer.produce(
                topic.physical_name,
                topic.partition_of(append.key),
                append.key,
                append.value,
                append.headers,
                append,
            )
        except BufferError:
            self._fail(append, "its queue is full")
        except KafkaException as error:
            self._fail(append, error)
            if is_fatal(error):
                self._replace(str(error))
        else:
            append.lane.in_flight += 1

    def _answer(self, reports: Sequence[Report]) -> None:
        for append, error, partition, offset in reports:
            append.lane.in_flight -= 1
            if error is None:
                self._failing_until = 0.0
                self._settle(append)
                if not append.future.done():
                    append.future.set_result(Source(append.lane.topic.generation, partition, offset))
            elif error.code() == KafkaError.MSG_SIZE_TOO_LARGE:  # as a sealed topic answers
                append.was_refused = True
                self._hold(append)
            else:
                self._failing_until = self._loop.time() + _FAILING_SECONDS
                self._fail(append, error)
                if is_fatal(error):
                    self._replace(error.str())

    def _fail(self, append: Append, cause: KafkaError | KafkaException | str) -> None:
        self._settle(append)
        if not append.future.done():
            append.future.set_exception(unavailable(cause))

    def _settle(self, append: Append) -> None:
        self._unanswered -= 1
        self._unanswered_bytes -= len(append.value)

    def _hold(self, append: Append) -> None:
        lane = append.lane
        lane.held.append(append)
        if lane.mover is None:
            lane.mover = self._loop.create_task(self._move(lane))

    async def _move(self, lane: Lane) -> None:
        """Find out where what a lane holds is to go, and let it go there."""
        while lane.held and not (lane.in_flight == 0 and await self._can_go_on(lane)):
            for append in lane.expire(self._loop.time() - self._timeout):
                self._fail(append, f"{lane.topic.name} is moving to its next generation")
            await asyncio.sleep(_MOVE_PAUSE)
        if lane.held:  # else some may be in flight still, and the next ones must not overtake them
            if self._replacing is not None:
                await self._replacing
            self._go_on(lane)
        # In one go: an append that is called meanwhile would overtake the held ones.
        lane.mover = None

    async def _can_go_on(self, lane: Lane) -> bool:
        """Whether a lane's topic has moved, or does not mean to."""
        name = lane.topic.name
        try:
            await self._catalog.refresh()
        except (UnavailableError, TopicError) as error:
            _log.warning("where appends go is not known now", topic=name, cause=str(error))
            return False
        return self._catalog.generation(name) > lane.topic.generation or not self._catalog.is_sealed(name)

    def _go_on(self, lane: Lane) -> None:
        try:
            topic = self._catalog[lane.topic.name]
        except UnavailableError as error:
            for append in lane.release():
                self._fail(append, error.message)
            return
        has_moved, lane.topic = topic.generation > lane.topic.generation, topic
        for append in lane.release():
            if append.was_refused and not has_moved:
                self._fail(append, "the record is too large for its topic")
            else:
                append.was_refused = False
                self._produce(append)

    def _replace(self, cause: str) -> None:
        """After a fatal error a producer takes nothing more. Its successor begins when all that it had is answered,
        so that their records keep the order of the calls."""
        if not self._closed_because:
            self._closed_because = "its producer is replaced"
            _log.error("the producer can't go on and is replaced", cause=cause)
            self._replacing = self._loop.create_task(self._succeed())

    async def _succeed(self) -> None:
        await self._producer.close(0)
        self._producer = PolledProducer(self._config, self._answer)
        self._closed_because = ""


def _producer_config(section: KafkaSection) -> dict[str, Any]:
    timeout = int(section.append_timeout_seconds * 1_000)
    return client_config(section) | {
        "enable.idempotence": True,
        "acks": "all",
        "delivery.timeout.ms": timeout,
        "linger.ms": section.linger_milliseconds,
        "compression.type": section.compression,
        "queue.buffering.max.messages": section.max_unanswered,
        # Twice, for the client counts keys, headers and its own bookkeeping.
        "queue.buffering.max.kbytes": 2 * _MAX_UNANSWERED_BYTES >> 10,
        "retry.backoff.ms": 50,
        # A broker that has stopped answering is left before the appends that wait for it are given up.
        "socket.timeout.ms": max(timeout, 1_000),
    }
