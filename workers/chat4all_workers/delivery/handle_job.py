"""What is done with each record of a channel's deliveries."""

from collections.abc import Callable

import structlog

from chat4all_core.ports.clock import Clock
from chat4all_core.ports.event_log import EventLog
from chat4all_workers.dead_letter import append_dead_letter, dead_letter_of
from chat4all_workers.delivery.deliver import Deliver
from chat4all_workers.delivery.job import Finished, Job, Result
from chat4all_workers.delivery.patience import persist
from chat4all_workers.delivery.undisturbed import Undisturbed

_log = structlog.get_logger(__name__)


class HandleJob:
    """Delivers what can be read, and rejects the rest."""

    def __init__(self, deliver: Deliver, log: EventLog, clock: Clock) -> None:
        self._deliver = deliver
        self._log = log
        self._clock = clock

    async def __call__(self, job: Job, undisturbed: Undisturbed, may_call: Callable[[], bool]) -> Result:
        """See Deliver."""
        if job.delivery is not None:
            return await self._deliver(job, job.delivery, undisturbed, may_call)
        return await undisturbed.run(self._reject(job))

    async def _reject(self, job: Job) -> Finished:
        letter = dead_letter_of(job.record, job.unreadable, self._clock())
        _log.error("a delivery can't be read", source=str(job.source), reason=letter.reason)
        await persist(append_dead_letter, self._log, letter, job.headers)
        return Finished()
