"""The connector role: the loop that takes a channel's deliveries from the log.

Here every person has a queue of their own: one who must wait holds nobody else up. What is committed is the lowest
offset that is not finished.
"""

import asyncio
import random
from collections.abc import Sequence
from functools import partial

import structlog

from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.errors import RetryableError
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.deferred_deliveries import DeferredDeliveries, DeferredDelivery
from chat4all_core.ports.event_log import (
    Consumer,
    EventLog,
    LogContradictionError,
    Record,
    connector_group,
    delivery_requested,
)
from chat4all_core.telemetry.metrics import Metrics
from chat4all_workers.delivery.handle_job import HandleJob
from chat4all_workers.delivery.job import Job, Result
from chat4all_workers.delivery.job_reader import JobReader
from chat4all_workers.delivery.load import Bounds, Load
from chat4all_workers.delivery.outlet_watch import OutletWatch
from chat4all_workers.delivery.partition import Partition
from chat4all_workers.delivery.recipient_queue import RecipientQueue
from chat4all_workers.handler import HALT_REMEDY, TOO_MANY_UNREADABLE
from chat4all_workers.reading import Reading

_BATCH = 500
_IDLE_SECONDS = 1.0
_BUSY_SECONDS = 0.1
"""How long a poll waits while there is something to commit soon."""
_COMMIT_SECONDS = 0.1
_LOOK_SECONDS = 15.0
"""How often people whose deliveries were put aside are looked for."""
_LOOK_ON_SECONDS = 3.0
"""The same when there were more than can be taken up at once."""
_PEOPLE_AT_ONCE = 300
"""That are taken up of each partition."""
_HANDOVER_SECONDS = 20.0
"""How long a partition that goes waits for the calls under way; less than a group waits for a member."""
_UNREADABLE = "\0"
"""The name of a queue; no address is like it."""
_FENCE_SECONDS = 8.0
"""Who has not polled for longer may have lost its partitions unknowingly, as after the machine slept."""


class Connector:
    """A member of the group of one channel's connectors, until it is stopped."""

    def __init__(
        self,
        channel: ChannelName,
        *,
        watch: OutletWatch,
        handle: HandleJob,
        reader: JobReader,
        deferred: DeferredDeliveries,
        log: EventLog,
        clock: Clock,
        rng: random.Random,
        metrics: Metrics,
        max_rejections: int,
        bounds: Bounds,
    ) -> None:
        """`max_rejections`: a partition of which more records than that can't be read in a row is halted."""
        self._channel = channel
        self._handle = handle
        self._reader = reader
        self._deferred = deferred
        self._clock = clock
        self._rng = rng
        self._metrics = metrics
        self._max_rejections = max_rejections
        self._watch = watch
        self._load = Load(bounds)
        self._most_of_one = bounds.of_one
        self._consumer: Consumer = log.consumer(delivery_requested(channel), connector_group(channel))
        self._logger = structlog.get_logger(role=self.role)
        self._reading = Reading(self._consumer)
        self._partitions: dict[int, Partition] = {}
        self._paused: set[int] = set()
        self._committed_at = self._look_at = float("-inf")

    @property
    def role(self) -> str:
        """What it does."""
        return f"connector.{self._channel}"

    @property
    def partitions(self) -> int:
        """How many partitions are with it now."""
        return len(self._partitions)

    @property
    def is_healthy(self) -> bool:
        """Whether it works, or could: the log was read lately."""
        return self._reading.is_healthy

    @property
    def _jobs(self) -> int:
        return sum(partition.jobs for partition in self._partitions.values())

    async def run(self) -> None:
        """Work until `stop` is called; calls under way are finished first."""
        await self._reading.run(self._step, self._assigned, self._revoked)

    def stop(self) -> None:
        """Ask it to finish."""
        self._reading.stop()

    async def _step(self) -> None:
        try:
            self._pause_and_resume()
            for record in await self._poll():
                self._take(record)
            await self._commit()
            await self._look_for_due()
        except LogContradictionError as contradiction:
            self._halt(contradiction.partition, str(contradiction))
        except RetryableError as error:
            self._logger.warning("an engine can't serve now", cause=str(error))
            await self._reading.pause(error.retry_after)
        self._watch.report(self._jobs)

    async def _poll(self) -> Sequence[Record]:
        patience = _BUSY_SECONDS if self._jobs else _IDLE_SECONDS
        return await self._reading.poll(max(1, min(_BATCH, self._load.room(self._jobs))), patience)

    def _take(self, record: Record) -> None:
        partition = self._partitions.get(record.source.partition)
        if partition is None or partition.gone:
            return
        job = self._reader.read(record)
        partition.begin(job)
        # What can't be read has one queue, so that no more of it is rejected than may be.
        to = job.delivery.to if job.delivery else None
        self._start(partition, to, to.address if to else _UNREADABLE, job)

    def _start(self, partition: Partition, to: ChannelAddress | None, name: str, job: Job | None = None) -> None:
        queue = self._queue(partition, to, name)
        if job is not None:
            queue.put(job)
        queue.start(partial(self._queue_ended, partition, name))

    def _queue(self, partition: Partition, to: ChannelAddress | None, name: str) -> RecipientQueue:
        queue = partition.queues.get(name)
        if queue is None:
            queue = partition.queues[name] = RecipientQueue(
                to,
                handle=partial(self._do, partition),
                finish=partial(self._finish, partition),
                read=self._read_deferred,
                deferred=self._deferred,
                clock=self._clock,
                rng=self._rng,
                most=self._most_of_one,
            )
        return queue

    def _queue_ended(self, partition: Partition, name: str, queue: RecipientQueue) -> None:
        if partition.queues.get(name) is queue:
            del partition.queues[name]

    async def _do(self, partition: Partition, job: Job) -> Result:
        return await self._handle(job, partition.undisturbed, lambda: self._may_call(partition))

    def _may_call(self, partition: Partition) -> bool:
        return not partition.gone and self._reading.silence < _FENCE_SECONDS

    def _finish(self, partition: Partition, job: Job) -> None:
        partition.finish(job)
        self._metrics.records_handled.labels(role=self.role).inc()
        if job.delivery is None:
            self._metrics.records_rejected.labels(role=self.role).inc()
        if partition.unreadable_in_a_row > self._max_rejections and not partition.gone:
            self._halt(partition.number, f"{TOO_MANY_UNREADABLE} {job.unreadable}")

    def _read_deferred(self, deferred: DeferredDelivery) -> Job:
        return self._reader.read_deferred(delivery_requested(self._channel), deferred)

    async def _commit(self, *, at_once: bool = False) -> None:
        if not at_once and _now() - self._committed_at < _COMMIT_SECONDS:
            return
        moved = {n: offset for n, p in self._partitions.items() if (offset := p.progress.to_commit()) is not None}
        self._committed_at = _now()
        if moved:
            await self._consumer.commit(moved)
        for number, offset in moved.items():
            if number in self._partitions:
                self._partitions[number].progress.committed(offset)

    async def _look_for_due(self) -> None:
        if _now() < self._look_at:
            return
        self._look_at = _now() + _LOOK_SECONDS
        for number in list(self._partitions):
            due = await self._deferred.due(self._channel, number, self._clock(), _PEOPLE_AT_ONCE)
            partition = self._partitions.get(number)
            if partition is None or partition.gone:
                continue
            if len(due) == _PEOPLE_AT_ONCE:
                self._look_at = _now() + _LOOK_ON_SECONDS
            for to in due:
                self._start(partition, to, to.address)

    def _pause_and_resume(self) -> None:
        stuck = (
            self._load.is_full(self._jobs, sum(p.bytes for p in self._partitions.values())) or self._watch.is_blocked()
        )
        wanted = {
            number
            for number, partition in self._partitions.items()
            if stuck or partition.gone or self._load.is_too_far(number, partition.progress.ahead)
        }
        self._consumer.pause(sorted(wanted - self._paused))
        self._consumer.resume(sorted(self._paused - wanted))
        self._paused = wanted

    def _halt(self, number: int, cause: str) -> None:
        """Nothing is lost: what is not finished is not committed, and comes again when the process is restarted."""
        self._logger.error("a partition is halted", partition=number, cause=cause, remedy=HALT_REMEDY)
        partition = self._partitions.setdefault(number, Partition(number))
        partition.halt()
        self._report_halted()

    def _report_halted(self) -> None:
        halted = sum(partition.gone for partition in self._partitions.values())
        self._metrics.partitions_halted.labels(role=self.role).set(halted)

    async def _assigned(self, partitions: Sequence[int]) -> None:
        self._partitions.update({number: Partition(number) for number in partitions})
        self._look_at = float("-inf")
        self._logger.info("partitions assigned", partitions=list(partitions))

    async def _revoked(self, partitions: Sequence[int]) -> None:
        going = [self._partitions[number] for number in partitions if number in self._partitions]
        for partition in going:
            partition.gone = True
        await asyncio.gather(*(partition.end(_HANDOVER_SECONDS) for partition in going))
        try:
            await self._commit(at_once=True)
        except RetryableError as error:
            self._logger.warning("what was done last is done again elsewhere", cause=str(error))
        for number in partitions:
            self._partitions.pop(number, None)
            self._load.forget(number)
        self._paused.difference_update(partitions)
        self._report_halted()
        self._logger.info("partitions revoked", partitions=list(partitions))


def _now() -> float:
    return asyncio.get_running_loop().time()
