"""`make bench ARGS=channels`: a channel that is down beside others, limits used and kept, webhooks taken."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import uvloop

from bench.channels.neighbour import neighbour
from bench.channels.rate import pair, rate
from bench.channels.webhooks import webhooks
from bench.channels.world import Place, open_world, serving_channels, settings_for
from bench.platforms import DISTRIBUTED, EMBEDDED

SECTIONS = ("neighbour", "rate", "pair", "webhooks")


async def main(place: Place, sections: Sequence[str], seconds: float, rounds: int) -> None:
    """Run the sections that are asked for."""
    async with open_world(place) as world:
        if "neighbour" in sections:
            await neighbour(world, seconds, rounds)
        if "rate" in sections:
            await rate(world, 2 * seconds)
        if "pair" in sections:
            await pair(world, 3 * seconds)
        if "webhooks" in sections:
            await webhooks(world, seconds)


def run(arguments: Sequence[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--platform", choices=(EMBEDDED, DISTRIBUTED), default=EMBEDDED, help="(%(default)s)")
    parser.add_argument("--engines", type=Path, default=Path(".engines/engines.json"), help="of a distributed one")
    parser.add_argument("--sections", default=",".join(SECTIONS), help="(%(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="length of a round; others are multiples of it")
    parser.add_argument("--rounds", type=int, default=3, help="without and with a channel down, each way")
    parser.add_argument("--rate", type=float, default=80.0, help="messages a second that the number may send")
    options = parser.parse_args(arguments)
    with serving_channels(options.platform, options.engines, settings_for(options.rate)) as place:
        uvloop.run(main(place, options.sections.split(","), options.seconds, options.rounds))
