"""`make bench ARGS=files`: MB/s up and down by every way, each in turn with the store used straight."""

import argparse
import asyncio
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

import uvloop

from bench.files.straight import Straight, straight_to
from bench.files.target import FORMS, Target, open_target
from bench.files.ways import Down, Up, Ways, open_ways

Work = Callable[[], Awaitable[None]]

_CLIENT = "client"
_GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Measured:
    """One file on its way."""

    seconds: float
    cpu: Mapping[str, float]
    """Seconds, by what used them."""


async def main(form: str, mebibytes: int, rounds: int, wanted: Sequence[str]) -> None:
    """Print the table: the rows whose names hold one of the wanted words."""
    async with open_target(form) as target:
        with straight_to(target.folder, target.store) as straight:
            await _Table(target, straight, mebibytes << 20, rounds, wanted).print()


def run(arguments: Sequence[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="bench files", description=__doc__)
    parser.add_argument("--platform", choices=FORMS, default=FORMS[0])
    parser.add_argument("--mebibytes", type=int, default=512, help="size of the file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--ways", default="", help="rows whose names hold one of these words: gRPC,PUT")
    options = parser.parse_args(arguments)
    uvloop.run(main(options.platform, options.mebibytes, options.rounds, options.ways.split(",")))


class _Table:
    def __init__(self, target: Target, straight: Straight, size: int, rounds: int, wanted: Sequence[str]) -> None:
        self._target = target
        self._straight = straight
        self._size = size
        self._rounds = rounds
        self._wanted = wanted
        self._source = target.folder / "source"
        self._got = target.folder / "got"

    async def print(self) -> None:
        with self._source.open("wb") as file:
            for _ in range(self._size >> 20):
                file.write(os.urandom(1 << 20))
        print(f"a file of {self._size >> 20} MiB, {self._rounds} rounds, medians; straight: {self._straight.name}\n")
        print(f"{'':<28}{'MB/s':>7}{'straight':>10}{'ratio':>7}   CPU seconds per GiB")
        async with open_ways(self._target.platform.target, self._target.platform.url) as ways:
            await self._ups(ways)
            await self._downs(ways)

    async def _ups(self, ways: Ways) -> None:
        named: dict[str, Up] = {
            "up: gRPC (SDK)": ways.by_sdk,
            "up: REST PUT (curl -T)": ways.by_put,
            "up: REST POST (curl -T)": ways.by_post,
            "up: REST form (curl -F)": ways.by_form,
            "up: direct parts (SDK)": ways.by_parts,
        }
        for name, up in named.items():
            made: list[str] = []

            async def once(up: Up = up, made: list[str] = made) -> None:
                made.append(await up(self._source))

            async def clean(made: list[str] = made) -> None:
                await ways.client.delete_file(made.pop())

            await self._row(name, once, lambda: self._straight.up(self._source), clean)

    async def _downs(self, ways: Ways) -> None:
        named: dict[str, Down] = {
            "down: gRPC (SDK)": ways.to_sdk,
            "down: REST (curl)": ways.to_curl,
            "down: presigned URL (curl)": ways.to_link,
        }
        file_id = await ways.by_sdk(self._source)
        for name, down in named.items():

            async def once(down: Down = down) -> None:
                await down(file_id, self._got)

            await self._row(name, once, lambda: self._straight.down(self._got), _nothing)

    async def _row(self, name: str, way: Work, straight: Callable[[], None], clean: Work) -> None:
        """Take turns, so that a noisy machine is noisy for both, and take turns in going first: pages of the disk's
        cache that nobody wrote to lately cost whoever writes to them first up to a second per GiB. Each file is removed
        at once, as that of `straight` is when it is replaced."""
        if not any(word in name for word in self._wanted):
            return
        pairs: list[tuple[Measured, Measured]] = []
        for number in range(self._rounds):
            base = None if number % 2 else await self._measure(lambda: asyncio.to_thread(straight))
            measured = await self._measure(way)
            await clean()
            pairs.append((measured, base or await self._measure(lambda: asyncio.to_thread(straight))))
        ratio = statistics.median(base.seconds / measured.seconds for measured, base in pairs)
        rates = [self._size / 1e6 / statistics.median(m.seconds for m in side) for side in zip(*pairs, strict=True)]
        costs = [self._costs(side) for side in zip(*pairs, strict=True)]
        print(
            f"{name:<28}{rates[0]:>7.0f}{rates[1]:>10.0f}{ratio:>7.2f}   {costs[0]} (straight: {costs[1]})", flush=True
        )

    def _costs(self, measured: Sequence[Measured]) -> str:
        """Processor seconds per GiB, of those who used any."""
        cpu = {role: statistics.median(m.cpu[role] for m in measured) * _GIB / self._size for role in measured[0].cpu}
        return ", ".join(f"{role} {seconds:.2f}" for role, seconds in cpu.items() if seconds >= 0.02)

    async def _measure(self, work: Work) -> Measured:
        self._got.unlink(missing_ok=True)
        before, start = self._cpu(), time.perf_counter()
        await work()
        seconds, after = time.perf_counter() - start, self._cpu()
        return Measured(seconds, {role: after[role] - before[role] for role in after})

    def _cpu(self) -> Mapping[str, float]:
        used = {
            role: sum(sum(process.cpu_times()[:2]) for process in processes)
            for role, processes in self._target.processes().items()
        }
        return used | {_CLIENT: sum(os.times()[:4])}  # curl's among it, once it has ended


async def _nothing() -> None:
    """Downloads are overwritten."""
