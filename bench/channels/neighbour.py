"""Whether a channel that is down slows the others: rounds without and with it down, in turn."""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence

from tools.simulators import Channel, Fault, FaultKind

from bench.channels.world import World
from bench.channels.writer import Writer
from bench.load import Measured

DOWN = Channel.WHATSAPP
RATES = {Channel.WHATSAPP: 40.0, Channel.INSTAGRAM: 40.0, Channel.TELEGRAM: 20.0}
"""Messages a second, well within every limit."""
_PEOPLE = {Channel.WHATSAPP: 240, Channel.INSTAGRAM: 40, Channel.TELEGRAM: 60}
"""So that no one person's limit is reached."""
_FAULTS = {
    "it answers every call with a server error": Fault(DOWN, FaultKind.SERVER_ERROR),
    "it answers after 20 s": Fault(DOWN, FaultKind.SLOW, seconds=20.0),
}

_WARM_UP_SECONDS = 3.0

Latencies = Mapping[Channel, Measured]
"""Of one round, by the channels that are well."""


async def neighbour(world: World, seconds: float, rounds: int) -> None:
    """Print how long the other channels' messages took, and what became of those that had to wait."""
    writers = {channel: await Writer.meeting(world, channel, people) for channel, people in _PEOPLE.items()}
    await _round(writers, _WARM_UP_SECONDS)
    for what, fault in _FAULTS.items():
        print(f"\n{DOWN} is down, {what}; {rounds} rounds of {seconds:.0f} s without and with it")
        pairs: list[tuple[Latencies, Latencies]] = []
        for _ in range(rounds):
            well = await _round(writers, seconds)
            await writers[DOWN].all_heard()
            rule = world.simulators.faults.add(fault)
            pairs.append((well, await _round(writers, seconds)))
            backlog = writers[DOWN].written - len(writers[DOWN].heard())
            paused = await _accounts(world, "paused")
            world.simulators.faults.remove(rule.id)
            await _drain(world, writers[DOWN], backlog, paused)
        _print_latencies(pairs)
    wrong = [each for writer in writers.values() for each in writer.broken_promises()]
    print(f"\n{sum(writer.written for writer in writers.values())} messages, all heard; {len(wrong)} promises broken")
    print(*wrong, sep="\n")


async def _round(writers: Mapping[Channel, Writer], seconds: float) -> Latencies:
    first = {channel: writer.written for channel, writer in writers.items()}
    await asyncio.gather(*(writer.write(rate=RATES[channel], seconds=seconds) for channel, writer in writers.items()))
    return {
        channel: _measured(seconds, writer.latencies(await writer.all_heard(), first[channel]))
        for channel, writer in writers.items()
        if channel != DOWN
    }


def _measured(seconds: float, latencies: Sequence[float]) -> Measured:
    return Measured(len(latencies), seconds, sorted(latencies))


async def _drain(world: World, writer: Writer, backlog: int, paused: float) -> None:
    before = time.perf_counter()
    await writer.all_heard()
    took = time.perf_counter() - before
    while not await _accounts(world, "open"):  # noqa: ASYNC110 - it is known in other processes
        await asyncio.sleep(0.1)
    state = "paused" if paused else "open"
    print(
        f"    {backlog} messages waited, the account {state}; heard within {took:.1f} s, the account open", flush=True
    )


async def _accounts(world: World, state: str) -> float:
    return await world.metrics.value("chat4all_channel_accounts", channel=DOWN, state=state)


def _print_latencies(pairs: Sequence[tuple[Latencies, Latencies]]) -> None:
    """Medians over the rounds; ratios are of a round with the channel down to the one before it."""
    print(f"{'from send to the channel, ms':<30}{'p50':>8}{'p95':>8}{'down: p50':>12}{'p95':>8}{'ratios':>10}")
    for channel in pairs[0][0]:
        row = [
            statistics.median(pair[side][channel].percentile(percent) for pair in pairs)
            for side in (0, 1)
            for percent in (50, 95)
        ]
        ratios = [
            statistics.median(
                down[channel].percentile(percent) / well[channel].percentile(percent) for well, down in pairs
            )
            for percent in (50, 95)
        ]
        times = f"{row[0]:>8.1f}{row[1]:>8.1f}{row[2]:>12.1f}{row[3]:>8.1f}"
        print(f"{channel:<30}{times}{ratios[0]:>10.2f}{ratios[1]:>6.2f}", flush=True)
