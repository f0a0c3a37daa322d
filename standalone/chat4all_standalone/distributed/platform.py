"""All processes of the distributed platform on this machine."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog

from chat4all_standalone.distributed.child_process import ChildProcess
from chat4all_standalone.distributed.supervised import Supervised
from chat4all_standalone.envoy import EnvoyProcess

_POLL_SECONDS = 0.05
_RETIRE_SECONDS = 60.0

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DistributedPlatform:
    """Processes that are kept running."""

    servers: Sequence[Supervised[ChildProcess]]
    workers: Sequence[Supervised[ChildProcess]]
    envoy: Supervised[EnvoyProcess]
    partitions: Callable[[], Awaitable[Mapping[str, int]]]
    """By role that runs here, how many the topic that it reads has now."""
    notice_seconds: float
    """How long Envoy needs to notice that a server serves, or will not."""

    async def serves(self) -> None:
        """Return once every process serves, every partition has its worker, and Envoy has found the servers. Raises
        what keeps a process from ever starting."""
        children = [each.serves() for each in (*self.workers, *self.servers)]
        await asyncio.gather(*children, self.envoy.serves())
        wanted = await self.partitions()
        while not await self._are_taken(wanted):  # noqa: ASYNC110 - it is known in other processes
            await asyncio.sleep(_POLL_SECONDS)
        while not await self._servers_are_found():  # noqa: ASYNC110 - the same
            await asyncio.sleep(_POLL_SECONDS)

    async def rolling_restart(self) -> None:
        """Replace one process after the other, servers first. With two servers and more, nobody notices."""
        for each in self.servers:
            await self._replace(each)
            await asyncio.sleep(self.notice_seconds)
        for each in self.workers:
            await self._replace(each)
        await self.serves()

    async def _replace(self, each: Supervised[ChildProcess]) -> None:
        _log.info("is replaced", process=each.name)
        await each.replace(lambda process: process.retire(_RETIRE_SECONDS))

    async def _servers_are_found(self) -> bool:
        envoy = self.envoy.process
        return envoy is not None and await envoy.sees_servers()

    async def _are_taken(self, partitions: Mapping[str, int]) -> bool:
        taken: dict[str, int] = {}
        for worker in self.workers:
            health = await worker.process.health() if worker.process else None
            for role, count in (health or {}).get("partitions", {}).items():
                taken[role] = taken.get(role, 0) + count
        return all(taken.get(role, 0) >= count for role, count in partitions.items())


@asynccontextmanager
async def running(platform: DistributedPlatform) -> AsyncIterator[None]:
    """Keep it running within the context. Servers stop first, so that subscribers hear of it through Envoy."""
    workers, servers = _started(platform.workers), _started(platform.servers)
    envoy = asyncio.create_task(platform.envoy.run())
    try:
        yield
    finally:
        for tasks in (servers, [envoy], workers):
            await _stopped(tasks)


def _started(processes: Sequence[Supervised[ChildProcess]]) -> list[asyncio.Task[None]]:
    return [asyncio.create_task(process.run()) for process in processes]


async def _stopped(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
