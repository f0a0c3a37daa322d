"""A producer whose delivery reports are fetched by the event loop.

A thread that waits for them would be woken for nearly every record and then contend with the loop for the interpreter:
that costs several times what a record costs otherwise. Looking every few moments while records are unanswered finds
many reports at once.
"""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Message, Producer

Report: TypeAlias = tuple[Any, KafkaError | None, int, int]
"""What was given with the record; the error, if any; partition and offset."""

Headers: TypeAlias = list[tuple[str, str | bytes | None]]

_BUSY_SECONDS = 0.001
"""Between looks while records are unanswered: a broker takes about as long."""
_CROWDED_SECONDS = 0.004
"""The same while many are: what each waits longer is little beside the queue, and more reports are found at once."""
_CROWD = 16
_IDLE_SECONDS = 0.5
"""Between looks otherwise: what the client has to log comes the same way."""
_PURGE_SECONDS = 0.1


class PolledProducer:
    """One librdkafka producer, for the running event loop, from construction to `close`."""

    def __init__(self, config: dict[str, Any], deliver: Callable[[Sequence[Report]], None]) -> None:
        """`deliver` is called once for all reports that have come meanwhile."""
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._producer = Producer(config)
        self._reports: list[Report] = []
        self._busy = False
        self._next_look = self._loop.call_later(_IDLE_SECONDS, self._look)

    def produce(
        self,
        topic: str,
        partition: int,
        key: bytes,
        value: bytes,
        headers: Headers | None,
        given: object,
    ) -> None:
        """Queue a record. Does not block. `given` comes back with its report.

        Raises:
            BufferError: the queue is full.
            KafkaException: the producer can't go on.
        """
        self._producer.produce(topic, value, key, partition, partial(self._report, given), headers=headers)
        if not self._busy:
            self._busy = True
            self._next_look.cancel()
            self._next_look = self._loop.call_later(_BUSY_SECONDS, self._look)

    async def close(self, patience: float) -> None:
        """Wait up to `patience` seconds for what is queued, give up the rest, and deliver every report."""
        self._next_look.cancel()
        await self._drain(patience)
        self._producer.purge()
        await self._drain(_PURGE_SECONDS)

    async def _drain(self, seconds: float) -> None:
        deadline = self._loop.time() + seconds
        self._fetch()
        while len(self._producer) and self._loop.time() < deadline:
            await asyncio.sleep(_BUSY_SECONDS)
            self._fetch()

    def _look(self) -> None:
        self._fetch()
        unanswered = len(self._producer)
        self._busy = unanswered > 0
        pause = _CROWDED_SECONDS if unanswered >= _CROWD else _BUSY_SECONDS if unanswered else _IDLE_SECONDS
        self._next_look = self._loop.call_later(pause, self._look)

    def _fetch(self) -> None:
        # A fatal error is raised here once, whatever was asked; records are told of it by their reports.
        with contextlib.suppress(KafkaException):
            self._producer.poll(0)
        if self._reports:
            reports, self._reports = self._reports, []
            self._deliver(reports)

    def _report(self, given: object, error: KafkaError | None, message: Message) -> None:
        partition, offset = message.partition(), message.offset()
        self._reports.append((given, error, partition or 0, offset or 0))
