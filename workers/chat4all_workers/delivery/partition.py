"""A partition of the log that is with this connector: what is under way in it."""

import asyncio
from collections.abc import Iterator

from chat4all_workers.delivery.job import Job
from chat4all_workers.delivery.progress import Progress
from chat4all_workers.delivery.recipient_queue import RecipientQueue
from chat4all_workers.delivery.undisturbed import Undisturbed


class Partition:
    """From when it is assigned until it goes. One that comes again is another one."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.progress = Progress()
        self.undisturbed = Undisturbed()
        self.queues: dict[str, RecipientQueue] = {}
        self.gone = False
        """Nothing may be told any more: it is somebody else's, or halted."""
        self.unreadable_in_a_row = 0
        self.jobs = 0
        self.bytes = 0

    def begin(self, job: Job) -> None:
        """The next record."""
        self.progress.begin(job.source.offset)
        self.jobs += 1
        self.bytes += len(job.record.value)

    def finish(self, job: Job) -> None:
        """A record is done with; counts those that can't be read."""
        self.progress.finish(job.source.offset)
        self.jobs -= 1
        self.bytes -= len(job.record.value)
        self.unreadable_in_a_row = self.unreadable_in_a_row + 1 if job.delivery is None else 0

    async def end(self, patience: float) -> None:
        """Stop everything; calls that are under way end, if they do in time."""
        self.gone = True
        tasks = list(self._cancelled())
        await self.undisturbed.ended(patience)
        await asyncio.gather(*tasks, return_exceptions=True)

    def halt(self) -> None:
        """Stop everything, without waiting."""
        self.gone = True
        list(self._cancelled())

    def _cancelled(self) -> Iterator[asyncio.Task[None]]:
        queues, self.queues = self.queues, {}
        for queue in queues.values():
            if (task := queue.cancel()) is not None:
                yield task
