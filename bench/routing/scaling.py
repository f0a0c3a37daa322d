"""`python -m bench.routing.scaling`: what one router delivers and what two do.

Each is held to the same share of a core, so that neither the engines nor the cores are what ends first.
"""

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import grpc
import uvloop

from bench.people import meet
from bench.routing.backlog import fill
from bench.routing.platform import Router, UnroutedPlatform, routing, unrouted_platform
from bench.routing.throttle import held_to

_CONVERSATIONS = 600  # so that each router has much the same to do
_PARTITIONS = 12
_AT_THE_START = 5_000
"""Messages for routers to handle before they are held."""


async def main(engines: Path, share: float, messages: int, rounds: int) -> None:
    """In turns, so that a noisy machine is noisy for both."""
    with unrouted_platform(engines) as platform:
        async with grpc.aio.insecure_channel(platform.target) as channel, aiohttp.ClientSession() as client:
            people = await meet(channel, _CONVERSATIONS)
            rates: dict[int, list[float]] = {1: [], 2: []}
            for _ in range(rounds):
                for count, measured in rates.items():
                    # Twice, so that neither of two is ever without work.
                    await fill(channel, people, 2 * messages + _AT_THE_START)
                    async with _routers(platform, client, count, share) as routers:
                        measured.append(await _rate(routers, messages))
    one, two = (statistics.median(measured) for measured in rates.values())
    print(f"one router {one:.0f} a second, two {two:.0f}: the second adds {100 * (two / one - 1):.0f} %")


@asynccontextmanager
async def _routers(
    platform: UnroutedPlatform, client: aiohttp.ClientSession, count: int, share: float
) -> AsyncIterator[Sequence[Router]]:
    """At work, each with an even share of the partitions."""
    async with AsyncExitStack() as stack:
        routers = []
        for _ in range(count):
            router = await stack.enter_async_context(routing(platform, client))
            routers.append(router)
            while not await router.partitions():  # noqa: ASYNC110 - it is known in another process
                await asyncio.sleep(0.05)
            await stack.enter_async_context(held_to(router.process, share))
        while {await router.partitions() for router in routers} != {_PARTITIONS // count}:  # noqa: ASYNC110 - as above
            await asyncio.sleep(0.05)
        yield routers


async def _rate(routers: Sequence[Router], messages: int) -> float:
    """How many a second, while so many are handled."""
    first, since, cpu = await _handled(routers), time.monotonic(), _cpu(routers)
    while (last := await _handled(routers)) < first + messages:  # noqa: ASYNC110 - as above
        await asyncio.sleep(0.05)
    seconds = time.monotonic() - since
    shares = ", ".join(f"{100 * (b - a) / seconds:.1f} %" for a, b in zip(cpu, _cpu(routers), strict=True))
    print(f"{len(routers)} router(s): {(last - first) / seconds:.0f} a second, with {shares} of a core", flush=True)
    return (last - first) / seconds


async def _handled(routers: Sequence[Router]) -> int:
    return sum([await router.handled() for router in routers])


def _cpu(routers: Sequence[Router]) -> list[float]:
    return [sum(router.process.cpu_times()[:2]) for router in routers]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("engines", type=Path, help="engines.json")
    parser.add_argument("--share", type=float, default=0.1, help="of a core, for each router (%(default)s)")
    parser.add_argument("--messages", type=int, default=10_000, help="of a round (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    uvloop.run(main(options.engines, options.share, options.messages, options.rounds))
