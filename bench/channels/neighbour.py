"""Whether a channel that is down slows the others: rounds without and with it down, in turn."""

import asyncio
import time
from collections import defaultdict
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

Latencies = dict[Channel, list[float]]


async def neighbour(world: World, seconds: float, rounds: int) -> None:
    """Print how long the other channels' messages took, and what became of those that had to wait."""
    writers = {channel: await Writer.meeting(world, channel, people) for channel, people in _PEOPLE.items()}
    for what, fault in _FAULTS.items():
        print(f"\n{DOWN} is down, {what}; {rounds} rounds of {seconds:.0f} s without and with it")
        well: Latencies = defaultdict(list)
        beside: Latencies = defaultdict(list)
        for _ in range(rounds):
            await _round(writers, seconds, well)
            await writers[DOWN].all_heard()
            rule = world.simulators.faults.add(fault)
            await _round(writers, seconds, beside)
            backlog = writers[DOWN].written - len(writers[DOWN].heard())
            paused = await _accounts(world, "paused")
            world.simulators.faults.remove(rule.id)
            await _drain(world, writers[DOWN], backlog, paused)
        _print_latencies(well, beside)
    wrong = [each for writer in writers.values() for each in writer.broken_promises()]
    print(f"\n{sum(writer.written for writer in writers.values())} messages, all heard; {len(wrong)} promises broken")
    print(*wrong, sep="\n")


async def _round(writers: Mapping[Channel, Writer], seconds: float, latencies: Latencies) -> None:
    first = {channel: writer.written for channel, writer in writers.items()}
    await asyncio.gather(*(writer.write(rate=RATES[channel], seconds=seconds) for channel, writer in writers.items()))
    for channel, writer in writers.items():
        if channel != DOWN:
            latencies[channel] += writer.latencies(await writer.all_heard(), first[channel])


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


def _print_latencies(well: Latencies, beside: Latencies) -> None:
    print(f"{'from send to the channel, ms':<30}{'p50':>7}{'p95':>7}{'down: p50':>12}{'p95':>7}{'ratios':>10}")
    for channel in well:
        before, after = _of(well[channel]), _of(beside[channel])
        ratios = [after.percentile(p) / before.percentile(p) for p in (50, 95)]
        print(
            f"{channel:<30}{before.percentile(50):>7.1f}{before.percentile(95):>7.1f}"
            f"{after.percentile(50):>12.1f}{after.percentile(95):>7.1f}{ratios[0]:>10.2f}{ratios[1]:>6.2f}",
            flush=True,
        )


def _of(latencies: Sequence[float]) -> Measured:
    return Measured(len(latencies), 1, sorted(latencies))
