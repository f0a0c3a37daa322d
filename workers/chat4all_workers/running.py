"""Workers as tasks."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Protocol


class Running(Protocol):
    """A worker, whatever it does."""

    @property
    def role(self) -> str:
        """What it does, for operators."""
        ...

    @property
    def partitions(self) -> int:
        """How many partitions are with it now."""
        ...

    @property
    def is_healthy(self) -> bool:
        """Whether it works, or could."""
        ...

    async def run(self) -> None:
        """Work until `stop` is called; what is at hand is finished and committed first."""
        ...

    def stop(self) -> None:
        """Ask it to finish."""
        ...


@asynccontextmanager
async def running(workers: Sequence[Running], failed: asyncio.Event) -> AsyncIterator[None]:
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
