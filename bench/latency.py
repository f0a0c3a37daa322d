"""How long a message takes, at a rate that leaves room."""

import time

import grpc

from bench.load import Measured, open_loop
from bench.people import People
from bench.platforms import Target, by_process
from bench.senders import unary
from bench.subscriber import subscribed

RATES = (200, 500)


async def latency(target: Target, people: People, channel: grpc.aio.Channel, seconds: float, rate: int) -> None:
    """Print a row for the answer and one for the subscriber, and how busy the processes were; times count from when a
    message was due to be sent."""
    send = unary(channel, people)
    due: dict[str, float] = {}

    async def call(number: int) -> object:
        answer = await send(number)
        due[answer.message_id] = start + number / rate
        return answer

    async with subscribed(channel, people.receiver) as subscriber:
        before, start = target.cpu_seconds(), time.perf_counter()
        accept = await open_loop(call, seconds=seconds, rate=rate)
        await subscriber.received(accept.count)
        took = time.perf_counter() - start
        after = target.cpu_seconds()
    times = sorted(subscriber.times[message_id] - at for message_id, at in due.items())
    seen = Measured(len(times), accept.seconds, times)
    print(f"\n{f'at {rate} a second':<34}{'p50 ms':>11}{'p95 ms':>9}{'p99 ms':>9}")
    for name, measured in {"send to answer": accept, "send to subscriber": seen}.items():
        percentiles = "".join(f"{measured.percentile(p):>9.1f}" for p in (50, 95, 99))
        print(f"{name:<36}{percentiles}", flush=True)
    print(f"cores used: {by_process({name: (after[name] - before[name]) / took for name in after})}", flush=True)
