"""One person's deliveries, one after the other."""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence

import structlog

from chat4all_core.domain.channel import ChannelAddress
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.deferred_deliveries import DeferredDeliveries, DeferredDelivery
from chat4all_workers.delivery.backoff import Backoff
from chat4all_workers.delivery.job import Job, Postponed, Result
from chat4all_workers.delivery.patience import persist

_BACKOFF = Backoff(first=0.5, longest=60.0)
_log = structlog.get_logger(__name__)

Handle = Callable[[Job], Awaitable[Result]]
"""Does a job. It may be done again."""

Finish = Callable[[Job], None]
"""Told of every job that came from the log, when it need not be done from there again."""

Read = Callable[[DeferredDelivery], Job]
"""The job of a delivery that was put aside."""


class RecipientQueue:
    """Runs as a task for as long as there is something to do. What was put aside comes before what comes from the
    log, which is put aside too while that is not due: so the order stays."""

    def __init__(
        self,
        to: ChannelAddress | None,
        *,
        handle: Handle,
        finish: Finish,
        read: Read,
        deferred: DeferredDeliveries,
        clock: Clock,
        rng: random.Random,
        most: int,
    ) -> None:
        """`to`: None for records that can't be read, which are put aside never. `most`: of more jobs than that, all are
        put aside, due at once: who gets more than they may be told does not take up everybody's room."""
        self._to = to
        self._handle = handle
        self._finish = finish
        self._read = read
        self._deferred = deferred
        self._clock = clock
        self._rng = rng
        self._most = most
        self._jobs: deque[Job] = deque()
        self._task: asyncio.Task[None] | None = None
        self._failures = 0

    def put(self, job: Job) -> None:
        """At the end."""
        self._jobs.append(job)

    def start(self, on_end: Callable[["RecipientQueue"], None]) -> None:
        """Run, unless it does; `on_end` is called when there is nothing to do any more."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(on_end))

    def cancel(self) -> asyncio.Task[None] | None:
        """Stop; what must not stop half-way goes on. The task that ends, if there is one."""
        if self._task is not None:
            self._task.cancel()
        return self._task

    async def _run(self, on_end: Callable[["RecipientQueue"], None]) -> None:
        due_at = await self._due_at()
        while True:
            try:
                if self._to is not None and len(self._jobs) > self._most:
                    due_at = due_at or self._clock()
                    await self._put_aside(self._to, due_at, [])
                if due_at is not None and self._to is not None:
                    if due_at > self._clock():
                        await self._put_aside(self._to, due_at, [])
                        break
                    due_at = await self._do_first_deferred(self._to)
                elif self._jobs:
                    due_at = await self._do_first()
                else:
                    break
                self._failures = 0
            except Exception:
                # A fault of ours: nothing may be lost for it, so it is tried again.
                self._failures += 1
                _log.exception("a delivery failed in an unforeseen way and is tried again")
                await asyncio.sleep(_BACKOFF.seconds(self._failures, self._rng))
        self._task = None
        on_end(self)

    async def _due_at(self) -> Timestamp | None:
        to = self._to
        return None if to is None else await persist(self._deferred.due_at, to)

    async def _do_first(self) -> Timestamp | None:
        job = self._jobs[0]
        result = await self._handle(job)
        if isinstance(result, Postponed) and self._to is not None:
            await self._put_aside(self._to, result.until, [])
            return result.until
        self._jobs.popleft()
        self._finish(job)
        return None

    async def _do_first_deferred(self, to: ChannelAddress) -> Timestamp | None:
        """When the queue is due then; None when nothing is aside any more."""
        entries = await persist(self._deferred.first, to, 1)
        if not entries:
            return None
        result = await self._handle(self._read(entries[0]))
        if isinstance(result, Postponed):
            await self._put_aside(to, result.until, entries)
            return result.until
        await persist(self._deferred.remove, to, entries[0].source)
        return await self._due_at()

    async def _put_aside(self, to: ChannelAddress, due_at: Timestamp, aside: Sequence[DeferredDelivery]) -> None:
        """Put all jobs into the deferred queue, which is due then. `aside`: what is there already."""
        while self._jobs or aside:
            jobs = list(self._jobs)
            entries = [*aside, *(DeferredDelivery(job.source, job.record.value) for job in jobs)]
            await persist(self._deferred.add, to, entries, due_at)
            aside = ()
            for job in jobs:
                self._jobs.popleft()
                self._finish(job)
