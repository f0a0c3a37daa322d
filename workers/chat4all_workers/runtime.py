"""The loop that every worker role runs in: poll, handle, commit."""

import asyncio
from collections.abc import Sequence

import structlog

from chat4all_core.domain.errors import RetryableError
from chat4all_core.ports.clock import Clock, system_clock
from chat4all_core.ports.event_log import Consumer, EventLog, LogContradictionError, Record
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import TRACEPARENT, SpanKind, Tracer
from chat4all_workers.dead_letter import UNREADABLE, append_dead_letter, dead_letter_of
from chat4all_workers.gathering import pause_after
from chat4all_workers.handler import (
    HALT_REMEDY,
    TOO_MANY_UNREADABLE,
    Done,
    Halt,
    Handler,
    Outcome,
    Rejection,
    RetryAfter,
)
from chat4all_workers.reading import Reading
from chat4all_workers.rejections import Rejections
from chat4all_workers.retry_schedule import RetrySchedule

MAX_BATCH = 500
"""Records handled at once. Enough to amortise every round trip, few enough to keep a batch in milliseconds."""

_LEAST_BATCH = 10
"""Records handled at once while batches fail: half as many after each failure, twice as many after each success. An
engine that is too slow for a large batch would be given it again and again, and never get through."""

_POLL_SECONDS = 1.0


class Worker:
    """Runs one handler as a member of its role's group, until it is stopped."""

    def __init__(
        self,
        handler: Handler,
        log: EventLog,
        metrics: Metrics,
        tracer: Tracer,
        clock: Clock = system_clock,
        max_rejections: int = 100,
    ) -> None:
        """`max_rejections`: a partition of which more records than that can't be read in a row is halted."""
        self._handler = handler
        self._log = log
        self._metrics = metrics
        self._tracer = tracer
        self._consumer: Consumer = log.consumer(handler.topic, f"chat4all.{handler.role}")
        self._logger = structlog.get_logger(role=handler.role)
        self._reading = Reading(self._consumer)
        self._partitions: set[int] = set()
        self._halted: set[int] = set()
        self._retries = RetrySchedule()
        self._batch = MAX_BATCH
        self._began = float("-inf")
        """The batch before, of the loop's clock."""
        self._clock = clock
        self._rejections = Rejections(max_rejections)

    async def run(self) -> None:
        """Work until `stop` is called; the batch at hand is finished and committed first."""
        await self._reading.run(self._step, self._assigned, self._revoked)

    def stop(self) -> None:
        """Ask the worker to finish; it does not wait for its next batch."""
        self._reading.stop()

    @property
    def role(self) -> str:
        """What it does."""
        return self._handler.role

    @property
    def partitions(self) -> int:
        """How many partitions are with it now."""
        return len(self._partitions)

    def owns(self, partition: int) -> bool:
        """Whether a partition is with it now."""
        return partition in self._partitions

    @property
    def is_healthy(self) -> bool:
        """Whether it works, or could: the log was read lately. A partition that waits for an operator is no reason
        to take the others from it."""
        return self._reading.is_healthy

    async def _step(self) -> None:
        self._consumer.resume(self._retries.due(_now()))
        try:
            records = await self._reading.poll(self._batch, self._retries.patience(_POLL_SECONDS, _now()))
        except LogContradictionError as contradiction:
            self._halt(Halt(contradiction.partition, str(contradiction)), [])
            return
        except RetryableError as error:
            self._logger.warning("the log can't be read now", cause=str(error))
            await self._reading.pause(error.retry_after)
            return
        if records:
            self._metrics.batch_records.labels(role=self._handler.role).observe(len(records))
            links = [record.headers[TRACEPARENT] for record in records if TRACEPARENT in record.headers]
            with (
                self._metrics.batch_duration.labels(role=self._handler.role).time(),
                self._tracer.span(self._handler.role, kind=SpanKind.CONSUMER, links=links),
            ):
                before, self._began = self._began, _now()
                await self._apply(records, await self._handle(records))
            took = _now() - self._began
            if seconds := pause_after(len(records), self._batch, self._began - before, took):
                await self._reading.pause(seconds)

    async def _handle(self, records: Sequence[Record]) -> Outcome:
        try:
            content = [record for record in records if not record.is_mark]
            return await self._handler.handle(content) if content else Done()
        except LogContradictionError as contradiction:
            return Halt(contradiction.partition, str(contradiction))
        except RetryableError as error:
            return RetryAfter(error.retry_after, str(error))
        except Exception as error:
            # A fault of ours or an engine's: nothing may be lost for it, so the batch is tried again.
            self._logger.exception("a batch failed and is tried again", records=len(records))
            return RetryAfter(0, repr(error))

    async def _apply(self, records: Sequence[Record], outcome: Outcome) -> None:
        match outcome:
            case Done(rejected):
                try:
                    await self._finish(records, rejected)
                except RetryableError as error:
                    # Handling it again changes nothing, and the log may take the commit then.
                    self._retry_later(records, RetryAfter(error.retry_after, f"not committed: {error}"))
            case RetryAfter():
                self._retry_later(records, outcome)
            case Halt():
                self._halt(outcome, records)

    async def _finish(self, records: Sequence[Record], rejected: Sequence[Rejection]) -> None:
        if rejected:
            records, rejected = self._without_halted(records, rejected)
        else:
            self._rejections.forget(_first_offsets(records))
        for rejection in rejected:
            await self._dead_letter(rejection)
        await self._consumer.commit(_next_offsets(records))
        self._retries.forget(_first_offsets(records))
        self._batch = min(2 * self._batch, MAX_BATCH)
        self._metrics.records_handled.labels(role=self._handler.role).inc(len(records))

    def _without_halted(
        self, records: Sequence[Record], rejected: Sequence[Rejection]
    ) -> tuple[Sequence[Record], Sequence[Rejection]]:
        """What is left when partitions of which too much would be rejected are halted."""
        dead = {rejection.record.source for rejection in rejected if rejection.code == UNREADABLE}
        for partition in _first_offsets(records):
            of_partition = [record for record in records if record.source.partition == partition]
            if self._rejections.are_too_many(partition, (record.source in dead for record in of_partition)):
                self._halt(Halt(partition, f"{TOO_MANY_UNREADABLE} {rejected[-1].reason}"), of_partition)
        return (
            [record for record in records if record.source.partition not in self._halted],
            [rejection for rejection in rejected if rejection.record.source.partition not in self._halted],
        )

    def _retry_later(self, records: Sequence[Record], outcome: RetryAfter) -> None:
        """Go back to the start of the batch and wait, polling on, so that the group knows we live."""
        first = _first_offsets(records)
        seconds = self._retries.postpone(first, outcome.seconds, _now())
        self._consumer.rewind(first)
        self._consumer.pause(list(first))
        self._batch = max(self._batch // 2, _LEAST_BATCH)
        self._rejections.forget(first)
        self._logger.warning("a batch is tried again", cause=outcome.cause, seconds=seconds)
        self._metrics.records_retried.labels(role=self._handler.role).inc(len(records))

    def _halt(self, halt: Halt, records: Sequence[Record]) -> None:
        self._logger.error("a partition is halted", partition=halt.partition, cause=halt.cause, remedy=HALT_REMEDY)
        self._consumer.rewind(_first_offsets(records))
        self._consumer.pause([halt.partition])
        self._halted.add(halt.partition)
        self._metrics.partitions_halted.labels(role=self._handler.role).set(len(self._halted))

    async def _dead_letter(self, rejection: Rejection) -> None:
        record = rejection.record
        self._logger.error("a record is rejected", source=str(record.source), reason=rejection.reason)
        letter = dead_letter_of(record, rejection.reason, self._clock(), code=rejection.code, remedy=rejection.remedy)
        await append_dead_letter(self._log, letter, record.headers)
        self._metrics.records_rejected.labels(role=self._handler.role).inc()

    async def _assigned(self, partitions: Sequence[int]) -> None:
        self._handler.partitions_changed(partitions)
        self._rejections.forget(partitions)
        self._partitions.update(partitions)
        self._logger.info("partitions assigned", partitions=list(partitions))

    async def _revoked(self, partitions: Sequence[int]) -> None:
        self._handler.partitions_changed(partitions)
        self._retries.forget(partitions)
        self._halted.difference_update(partitions)
        self._partitions.difference_update(partitions)
        self._metrics.partitions_halted.labels(role=self._handler.role).set(len(self._halted))
        self._logger.info("partitions revoked", partitions=list(partitions))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _first_offsets(records: Sequence[Record]) -> dict[int, int]:
    return {record.source.partition: record.source.offset for record in reversed(records)}


def _next_offsets(records: Sequence[Record]) -> dict[int, int]:
    return {record.source.partition: record.source.offset + 1 for record in records}
