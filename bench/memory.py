"""`python -m bench.memory`: how the memory of a platform moves over many messages and beside a reader who stalls."""

import argparse
from pathlib import Path

import grpc
import psutil
import uvloop

from bench.load import closed_loop_of
from bench.people import meet
from bench.platforms import EMBEDDED, Target, serving
from bench.senders import streams
from bench.subscriber import subscribed
from chat4all.status.v1 import status_service_pb2 as status
from chat4all.status.v1.status_service_pb2_grpc import StatusServiceStub

_STEPS = 10


async def main(target: Target, messages: int) -> None:
    """Send, and print the resident memory as it goes."""
    (process,) = target.processes["server and workers"]
    async with grpc.aio.insecure_channel(f"127.0.0.1:{target.grpc_port}") as channel:
        people = await meet(channel, 50)
        # One receiver who keeps up, and one whose client takes a single frame and then no more.
        stalled = StatusServiceStub(channel).Subscribe(status.SubscribeRequest(), metadata=people.receiver)
        await stalled.read()
        async with streams(channel, people) as call, subscribed(channel, people.receiver) as subscriber:
            print(f"{'messages':>10}{'RSS MiB':>10}")
            for step in range(1, _STEPS + 1):
                await closed_loop_of(call, count=messages // _STEPS, in_flight=64)
                await subscriber.received(step * (messages // _STEPS))
                print(f"{step * (messages // _STEPS):>10}{_mebibytes(process):>10.1f}", flush=True)
        stalled.cancel()


def _mebibytes(process: psutil.Process) -> float:
    return float(process.memory_info().rss) / (1 << 20)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    options = parser.parse_args()
    with serving(EMBEDDED, Path()) as target:
        uvloop.run(main(target, options.messages))
