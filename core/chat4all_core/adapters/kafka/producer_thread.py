"""A producer, and the thread that hands its delivery reports to the event loop."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeAlias

from confluent_kafka import KafkaError, KafkaException, Message, Producer

Report: TypeAlias = "tuple[asyncio.Future[Any], int, int, KafkaError | None, int, int]"
"""The future, generation and size that were given with the record; the error, if any; partition and offset."""

Headers: TypeAlias = list[tuple[str, str | bytes | None]]

_POLL_SECONDS = 0.1


class ProducerThread:
    """One librdkafka producer, from construction to `close`."""

    def __init__(self, config: dict[str, Any], deliver: Callable[[Sequence[Report]], None]) -> None:
        """`deliver` is called in the event loop, once for all reports that have come meanwhile."""
        self._loop = asyncio.get_running_loop()
        self._deliver = deliver
        self._producer = Producer(config)
        self._reports: deque[Report] = deque()
        self._delivery_due = False
        self._closing = threading.Event()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(target=self._serve, name="kafka-producer", daemon=True)
        self._thread.start()

    def produce(
        self,
        topic: str,
        partition: int,
        generation: int,
        key: bytes,
        value: bytes,
        headers: Headers | None,
        future: "asyncio.Future[Any]",
    ) -> None:
        """Queue a record. Does not block.

        Raises:
            BufferError: the queue is full.
            KafkaException: the producer can't go on.
        """
        report = partial(self._report, future, generation, len(value))
        self._producer.produce(topic, value, key, partition, report, headers=headers)

    async def close(self, patience: float) -> None:
        """Wait up to `patience` seconds for what is queued, give up the rest, and deliver every report."""
        self._patience = patience
        self._closing.set()
        await asyncio.shield(self._ended)
        self._thread.join()

    def _serve(self) -> None:
        while not self._closing.is_set():
            self._poll(lambda: self._producer.poll(_POLL_SECONDS))
            self._wake_the_loop()
        self._poll(lambda: self._producer.flush(self._patience))
        self._producer.purge()
        self._poll(lambda: self._producer.flush(_POLL_SECONDS))
        self._loop.call_soon_threadsafe(self._end)

    def _poll(self, poll: Callable[[], int]) -> None:
        # A fatal error is raised here once, whatever was asked; records are told of it by their reports.
        with contextlib.suppress(KafkaException):
            poll()

    def _report(
        self,
        future: "asyncio.Future[Any]",
        generation: int,
        size: int,
        error: KafkaError | None,
        message: Message,
    ) -> None:
        partition, offset = message.partition(), message.offset()
        self._reports.append((future, generation, size, error, partition or 0, offset or 0))

    def _wake_the_loop(self) -> None:
        # One call for a burst: reports that come before it runs go with it.
        if self._reports and not self._delivery_due:
            self._delivery_due = True
            self._loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        # The flag goes first: a report that comes in between causes one call too many, which then finds nothing.
        self._delivery_due = False
        self._deliver([self._reports.popleft() for _ in range(len(self._reports))])

    def _end(self) -> None:
        self._hand_over()
        self._ended.set_result(None)
