"""Workers as tasks."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from chat4all_workers.runtime import Worker


@asynccontextmanager
async def running(workers: Sequence[Worker], failed: asyncio.Event) -> AsyncIterator[None]:
    """Run them within the context; the batches at hand are finished and committed before it is left. `failed` is set
    when one of them ends by itself."""
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    for task in tasks:
        task.add_done_callback(lambda _: failed.set())
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        await asyncio.gather(*tasks)
