"""How much of a number's limits is used, by the channel's own log: it refuses what comes above them."""

from collections import Counter
from collections.abc import Sequence

from tools.simulators import Channel

from bench.channels.world import World
from bench.channels.writer import Writer

_PEOPLE = 400
_PAIR_PEOPLE = 20
_THROUGHPUT, _PAIR = 130429, 131056
"""WhatsApp's codes for too much in all and too much to one person."""


async def rate(world: World, seconds: float) -> None:
    """Print what came of a backlog to many people, in the time after the first second's burst."""
    limit = world.settings.whatsapp.messages_per_second
    refused = world.simulators.refusals.count(Channel.WHATSAPP, _THROUGHPUT)
    writer = await Writer.meeting(world, Channel.WHATSAPP, _PEOPLE, first=1_000)
    await writer.write_at_once(int(limit * (seconds + 3)))
    times = list((await writer.all_heard()).values())
    steady = [at for at in times if times[0] + 1 <= at <= times[0] + 1 + seconds]
    used = (len(steady) - 1) / (steady[-1] - steady[0]) / limit
    refused = world.simulators.refusals.count(Channel.WHATSAPP, _THROUGHPUT) - refused
    print(
        f"\na backlog of {len(times)} to {_PEOPLE} people at {limit:.0f} a second: {100 * used:.1f} % of it used over "
        f"{steady[-1] - steady[0]:.0f} s, at most {_most_in_a_second(steady)} in a second; {refused} refused",
        flush=True,
    )


async def pair(world: World, seconds: float) -> None:
    """Print what came of more messages to a few people than each may get at once."""
    whatsapp = world.settings.whatsapp
    refused = world.simulators.refusals.count(Channel.WHATSAPP, _PAIR)
    burst, interval = int(whatsapp.pair_burst), whatsapp.pair_interval_seconds
    writer = await Writer.meeting(world, Channel.WHATSAPP, _PAIR_PEOPLE, first=2_000)
    await writer.write_at_once(_PAIR_PEOPLE * (burst + 1 + int(seconds / interval)))
    heard = await writer.all_heard()
    used = []
    for person in range(_PAIR_PEOPLE):
        steady = [at for number, at in heard.items() if number % _PAIR_PEOPLE == person][burst:]
        used.append((len(steady) - 1) * interval / (steady[-1] - steady[0]))
    refused = world.simulators.refusals.count(Channel.WHATSAPP, _PAIR) - refused
    print(
        f"{len(heard) // _PAIR_PEOPLE} to each of {_PAIR_PEOPLE} people, one in {interval:.0f} s after {burst}: "
        f"{100 * min(used):.1f} to {100 * max(used):.1f} % of it used; {refused} refused",
        flush=True,
    )


def _most_in_a_second(times: Sequence[float]) -> int:
    return max(Counter(int(at - times[0]) for at in times).values())
