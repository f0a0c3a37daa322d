"""Appending: bounded, in the order of the calls, answered when every in-sync replica has the record."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import structlog
from confluent_kafka import KafkaException

from chat4all_core.adapters.kafka.client_config import client_config, is_fatal, unavailable
from chat4all_core.adapters.kafka.polled_producer import Headers, PolledProducer, Report
from chat4all_core.adapters.kafka.topic import Topic
from chat4all_core.config import KafkaSection
from chat4all_core.domain.source import Source

_log = structlog.get_logger(__name__)

_MAX_UNANSWERED_BYTES = 64 << 20

_FAILING_SECONDS = 5.0
"""So long after an append has failed, the next ones are not expected to succeed unless one has."""


class Appender:
    """The producing side of the log, for the running event loop, until `close`."""

    def __init__(self, section: KafkaSection) -> None:
        self._loop = asyncio.get_running_loop()
        self._max_unanswered = section.max_unanswered
        self._timeout = section.append_timeout_seconds
        self._config = _producer_config(section)
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
        """See EventLog.append."""
        future: asyncio.Future[Source] = self._loop.create_future()
        if self._closed_because:
            future.set_exception(unavailable(self._closed_because))
        elif self._is_full(len(value)):
            future.set_exception(unavailable("too many appends are waiting"))
        else:
            self._produce(topic, key.encode(), value, headers, future)
        return future

    async def close(self) -> None:
        """Wait until everything is answered, which takes no longer than an append may."""
        if self._replacing is not None:
            await self._replacing
        self._closed_because = "it is closed"
        await self._producer.close(self._timeout)

    def _is_full(self, size: int) -> bool:
        if self._unanswered >= self._max_unanswered:
            return True
        return self._unanswered > 0 and self._unanswered_bytes + size > _MAX_UNANSWERED_BYTES

    def _produce(
        self,
        topic: Topic,
        key: bytes,
        value: bytes,
        headers: Mapping[str, str] | None,
        future: "asyncio.Future[Source]",
    ) -> None:
        encoded: Headers | None = list(headers.items()) if headers else None
        try:
            self._producer.produce(
                topic.physical_name, topic.partition_of(key), topic.generation, key, value, encoded, future
            )
        except BufferError:
            future.set_exception(unavailable("its queue is full"))
        except KafkaException as error:
            future.set_exception(unavailable(error))
            if is_fatal(error):
                self._replace(str(error))
        else:
            self._unanswered += 1
            self._unanswered_bytes += len(value)

    def _answer(self, reports: Sequence[Report]) -> None:
        for future, generation, size, error, partition, offset in reports:
            self._unanswered -= 1
            self._unanswered_bytes -= size
            if error is not None:
                self._failing_until = self._loop.time() + _FAILING_SECONDS
                if not future.done():
                    future.set_exception(unavailable(error))
                if is_fatal(error):
                    self._replace(error.str())
            else:
                self._failing_until = 0.0
                if not future.done():
                    future.set_result(Source(generation, partition, offset))

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
