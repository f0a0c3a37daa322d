"""A distributed platform without routers, and routers beside it."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import psutil
from platform_process import PlatformProcess, free_port

from bench.platforms import settings_on

_HANDLED = 'chat4all_worker_records_handled_total{role="router"} '


@dataclass(frozen=True, slots=True)
class UnroutedPlatform:
    """Takes messages, and leaves them in the log."""

    target: str
    settings: Mapping[str, str]
    """What the environment of its processes says."""
    folder: Path


@contextmanager
def unrouted_platform(engines: Path) -> Iterator[UnroutedPlatform]:
    """One server and one status worker on these engines (an engines.json), with data that are dropped in the end."""
    command = ("-m", "chat4all_standalone.distributed", "--servers", "1", "--routers", "0", "--status-workers", "1")
    with settings_on(engines) as settings, TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
        process = PlatformProcess(Path(folder), settings, command)
        process.start()
        try:
            yield UnroutedPlatform(process.target, settings, Path(folder))
        finally:
            process.close()


@dataclass(frozen=True, slots=True)
class Router:
    """A process of its own."""

    process: psutil.Process
    url: str
    client: aiohttp.ClientSession

    async def partitions(self) -> int:
        """How many it has; 0 while it does not answer."""
        try:
            async with self.client.get(f"{self.url}/healthz") as answer:
                return int((await answer.json())["partitions"]["router"])
        except (aiohttp.ClientError, KeyError):
            return 0

    async def handled(self) -> int:
        """How many messages it has stored, fanned out and committed."""
        async with self.client.get(f"{self.url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return sum(int(float(line.removeprefix(_HANDLED))) for line in lines if line.startswith(_HANDLED))


@asynccontextmanager
async def routing(platform: UnroutedPlatform, client: aiohttp.ClientSession) -> AsyncIterator[Router]:
    """A router, started now, and ended in good order."""
    port = free_port()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("CHAT4ALL_")}
    environ |= platform.settings | {"CHAT4ALL_WORKER_WEB_PORT": str(port)}
    with (platform.folder / "router.log").open("ab") as log:
        command = ("-m", "chat4all_workers", "--roles", "router")
        process = await asyncio.create_subprocess_exec(sys.executable, *command, env=environ, stdout=log, stderr=log)
    try:
        yield Router(psutil.Process(process.pid), f"http://127.0.0.1:{port}", client)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
