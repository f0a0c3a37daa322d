"""`make endurance-files`: large files go up and down through Envoy, by the SDK and by curl; sums are compared, and the
memory of the servers is watched."""

import argparse
import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import cast

import psutil
import uvloop

from bench.files.made_file import MadeFile, Sum
from bench.files.target import FORMS, open_target
from bench.files.ways import Ways, open_ways

_PIECE = 1 << 20
_POLL_SECONDS = 0.05

Up = Callable[[MadeFile, int], Awaitable[str]]
Down = Callable[[str], Awaitable[str]]
"""Gives the SHA-256 of what came."""


async def main(form: str, size: int, at_once: int) -> None:
    """Print a line for each way and direction."""
    print(f"{form}, {at_once} at once, {size / (1 << 30):g} GiB each")
    print(f"{'':<18}{'MB/s':>7}   MiB of memory: before, most (more)")
    async with open_target(form) as target, open_ways(target.platform.target, target.platform.url) as ways:
        curl = _Curl(ways)
        watched = target.processes()
        for name, up, down in (("SDK", _sdk_up(ways), _sdk_down(ways)), ("curl", curl.up, curl.down)):
            files = [MadeFile(size) for _ in range(at_once)]
            sums = await asyncio.gather(*(asyncio.to_thread(file.sha256) for file in files))
            async with _watched(f"{name} up", watched, size * at_once):
                file_ids = await asyncio.gather(*(up(file, size) for file in files))
            async with _watched(f"{name} down", watched, size * at_once):
                got = await asyncio.gather(*(down(file_id) for file_id in file_ids))
            if list(got) != list(sums):
                raise SystemExit(f"SHA-256 differs: {sums} went up, {got} came down")
            for file_id in file_ids:
                await ways.client.delete_file(file_id)
    print("every SHA-256 is equal")


def _sdk_up(ways: Ways) -> Up:
    async def up(file: MadeFile, size: int) -> str:
        made = await ways.client.upload(ways.conversation_id, file.opened(), "f", direct=False)
        return made.file_id

    return up


def _sdk_down(ways: Ways) -> Down:
    async def down(file_id: str) -> str:
        found = Sum()
        await ways.client.download(file_id, found.opened())
        return found.hexdigest()

    return down


class _Curl:
    """curl, by pipes."""

    def __init__(self, ways: Ways) -> None:
        self._ways = ways

    async def up(self, file: MadeFile, size: int) -> str:
        read, write = os.pipe()
        feeding = asyncio.create_task(asyncio.to_thread(_feed, file, write))
        try:
            return await self._ways.put(size, "-", stdin=read)
        finally:
            os.close(read)
            await feeding

    async def down(self, file_id: str) -> str:
        read, write = os.pipe()
        summing = asyncio.create_task(asyncio.to_thread(_sum, read))
        try:
            await self._ways.curl(f"/v1/files/{file_id}/content", stdout=write)
        finally:
            os.close(write)
        return await summing


def _feed(file: MadeFile, write: int) -> None:
    with suppress(BrokenPipeError), os.fdopen(write, "wb", buffering=0) as pipe:
        while piece := file.read(_PIECE):
            view = memoryview(piece)
            while view:
                view = view[pipe.write(view) :]


def _sum(read: int) -> str:
    found = Sum()
    with os.fdopen(read, "rb", buffering=0) as pipe:
        while piece := pipe.read(_PIECE):
            found.write(piece)
    return found.hexdigest()


@dataclass(slots=True)
class _Memory:
    """Of one process."""

    name: str
    process: psutil.Process
    before: int
    most: int = field(default=0)

    def look(self) -> None:
        self.most = max(self.most, self.process.memory_info().rss)

    def __str__(self) -> str:
        before, most = self.before >> 20, self.most >> 20
        return f"{self.name} {before}, {most} (+{most - before})"


@asynccontextmanager
async def _watched(name: str, processes: Mapping[str, Sequence[psutil.Process]], size: int) -> AsyncIterator[None]:
    memories = [_Memory(role, process, process.memory_info().rss) for role in processes for process in processes[role]]
    watching = asyncio.create_task(_watch(memories))
    start = time.perf_counter()
    try:
        yield
    finally:
        seconds = time.perf_counter() - start
        watching.cancel()
    print(f"{name:<18}{size / 1e6 / seconds:>7.0f}   {'; '.join(map(str, memories))}", flush=True)


async def _watch(memories: Sequence[_Memory]) -> None:
    while True:
        for memory in memories:
            memory.look()
        await asyncio.sleep(_POLL_SECONDS)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--platform", choices=FORMS, default=FORMS[0])
    parser.add_argument("--gibibytes", type=float, default=5.0, help="size of a file")
    parser.add_argument("--at-once", type=int, default=1, help="how many of them")
    options = parser.parse_args()
    uvloop.run(main(options.platform, int(cast(float, options.gibibytes) * (1 << 30)), options.at_once))
