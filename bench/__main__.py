"""`make bench`: prints what a platform does on this machine."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import grpc
import uvloop

import bench.channels.table
import bench.files.table
from bench.accepted import IN_FLIGHT, accepted
from bench.delivered import HEADING, delivered
from bench.echo import echo
from bench.latency import RATES, latency
from bench.people import People, meet
from bench.platforms import DISTRIBUTED, EMBEDDED, Target, serving
from bench.scale import Sizes, scale
from bench.senders import STREAMS, streams, unary

CONVERSATIONS = 50
SECTIONS = ("accepted", "delivered", "latency", "scale")


async def main(target: Target, seconds: float, sections: Sequence[str], sizes: Sizes) -> None:
    """Run the sections that are asked for."""
    print(f"two hundred bytes a text, {IN_FLIGHT} in flight (of each stream), {CONVERSATIONS} conversations, durable")
    async with (
        echo() as echo_port,
        grpc.aio.insecure_channel(f"127.0.0.1:{target.grpc_port}") as direct,
        grpc.aio.insecure_channel(f"127.0.0.1:{target.envoy_port}") as through_envoy,
        grpc.aio.insecure_channel(f"127.0.0.1:{echo_port}") as echo_channel,
    ):
        people = await meet(direct, CONVERSATIONS)
        if "accepted" in sections:
            await accepted(target, people, direct, through_envoy, echo_channel, seconds)
        if "delivered" in sections:
            await _delivered(target, people, direct, 12 * seconds)
        if "latency" in sections:
            for rate in RATES:
                await latency(target, people, direct, 2 * seconds, rate)
        if "scale" in sections and target.stores is not None:
            await scale(target, target.stores, people, direct, 2 * seconds, sizes)


async def _delivered(target: Target, people: People, channel: grpc.aio.Channel, seconds: float) -> None:
    print(f"\n{HEADING}")
    call = unary(channel, people)
    await delivered("by unary gRPC", target, people, channel, call, seconds=seconds, in_flight=IN_FLIGHT)
    async with streams(channel, people) as call:
        way, many = f"by {STREAMS} of SendMessageStream", STREAMS * IN_FLIGHT
        await delivered(way, target, people, channel, call, seconds=seconds, in_flight=many)


if __name__ == "__main__":
    if sys.argv[1:2] == ["files"]:
        bench.files.table.run(sys.argv[2:])
        sys.exit()
    if "channels" in sys.argv:
        bench.channels.table.run([argument for argument in sys.argv[1:] if argument != "channels"])
        sys.exit()
    parser = argparse.ArgumentParser(
        prog="make bench",
        description=__doc__,
        epilog="`files` as the first argument measures files instead, `channels` channels.",
    )
    parser.add_argument("--platform", choices=(EMBEDDED, DISTRIBUTED), default=EMBEDDED, help="(%(default)s)")
    parser.add_argument("--engines", type=Path, default=Path(".engines/engines.json"), help="of a distributed one")
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a round; others are multiples of it")
    parser.add_argument("--sections", default=",".join(SECTIONS), help="scale is for a distributed one (%(default)s)")
    parser.add_argument("--conversations", default="10,1000,100000", help="of scale (%(default)s)")
    parser.add_argument("--history", type=int, default=1_000_000, help="messages, of scale (%(default)s)")
    options = parser.parse_args()
    sizes = Sizes([int(count) for count in options.conversations.split(",")], options.history)
    with serving(options.platform, options.engines) as target:
        uvloop.run(main(target, options.seconds, options.sections.split(","), sizes))
