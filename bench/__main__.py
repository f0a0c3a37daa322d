"""`make bench`: prints what the embedded platform does on this machine."""

import argparse
import statistics
import sys
import time

import grpc
import uvloop

import bench.files.table
from bench.echo import METHOD
from bench.load import Call, Measured, closed_loop, open_loop
from bench.people import People, meet
from bench.processes import Target, echo, standalone
from bench.senders import TEXT, rest, streams, unary
from bench.subscriber import Subscriber, subscribed

IN_FLIGHT = 64
CONVERSATIONS = 50
ROUNDS = 3
LATENCY_RATE = 200


async def main(seconds: float) -> None:
    """Run every scenario."""
    print(f"two hundred bytes a text, {IN_FLIGHT} in flight, {CONVERSATIONS} conversations, durable (fsync)\n")
    async with (
        standalone() as target,
        echo() as echo_port,
        grpc.aio.insecure_channel(f"127.0.0.1:{target.grpc_port}") as direct,
        grpc.aio.insecure_channel(f"127.0.0.1:{target.envoy_port}") as through_envoy,
        grpc.aio.insecure_channel(f"127.0.0.1:{echo_port}") as echo_channel,
    ):
        people = await meet(direct, CONVERSATIONS)
        await accepted(target, people, direct, through_envoy, echo_channel, seconds)
        await delivered(target, people, direct, seconds)
        await latency(people, direct, seconds)


async def accepted(
    target: Target,
    people: People,
    direct: grpc.aio.Channel,
    through_envoy: grpc.aio.Channel,
    echo_channel: grpc.aio.Channel,
    seconds: float,
) -> None:
    """How many sends are answered, each way in turn with the echo, so that a noisy machine is noisy for both."""
    bare = echo_channel.unary_unary(METHOD)
    payload = TEXT.encode()
    print(f"{'accepted':<34}{'per second':>11}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'of echo':>9}")
    async with rest(target.envoy_port, people) as by_rest, streams(direct, people) as by_stream:
        ways: dict[str, Call] = {
            "unary gRPC": unary(direct, people),
            "unary gRPC through Envoy": unary(through_envoy, people),
            "REST through Envoy": by_rest,
            "SendMessageStream": by_stream,
        }
        for name, call in ways.items():
            rounds: list[tuple[Measured, Measured]] = []
            for _ in range(ROUNDS):
                base = await closed_loop(lambda _: bare(payload), seconds=seconds / 2, in_flight=IN_FLIGHT)
                rounds.append((await closed_loop(call, seconds=seconds, in_flight=IN_FLIGHT), base))
            _row(name, rounds)
        _row("(bare echo)", [(base, base) for _, base in rounds])


def _row(name: str, rounds: list[tuple[Measured, Measured]]) -> None:
    ratio = statistics.median(measured.rate / base.rate for measured, base in rounds)
    middle = sorted((measured for measured, _ in rounds), key=lambda m: m.rate)[len(rounds) // 2]
    times = "".join(f"{middle.percentile(p):>9.1f}" for p in (50, 95, 99))
    print(f"{name:<34}{middle.rate:>11.0f}{times}{ratio:>9.2f}", flush=True)


async def delivered(target: Target, people: People, direct: grpc.aio.Channel, seconds: float) -> None:
    """How many messages go all the way: accepted, stored, seen and acknowledged by a subscriber."""
    print(f"\n{'delivered end to end':<34}{'per second':>11}   CPU seconds per 1,000 messages")
    async with streams(direct, people) as by_stream:
        for name, call in {"by unary gRPC": unary(direct, people), "by SendMessageStream": by_stream}.items():
            async with subscribed(direct, people.receiver) as subscriber:
                before, start = target.cpu_seconds(), time.perf_counter()
                measured = await closed_loop(_paced(call, subscriber), seconds=2 * seconds, in_flight=IN_FLIGHT)
                await subscriber.received(measured.count)
                took = time.perf_counter() - start
                after = target.cpu_seconds()
            costs = ", ".join(f"{n} {(after[n] - before[n]) / measured.count * 1_000:.2f}" for n in after)
            print(f"{name:<34}{measured.count / took:>11.0f}   {costs}", flush=True)


def _paced(call: Call, subscriber: Subscriber) -> Call:
    async def paced(number: int) -> None:
        await subscriber.not_behind(number)
        await call(number)

    return paced


async def latency(people: People, direct: grpc.aio.Channel, seconds: float) -> None:
    """From when a message was due to be sent to when the subscriber has it."""
    send = unary(direct, people)
    sent: dict[str, float] = {}

    async def call(number: int) -> object:
        before = time.perf_counter()
        answer = await send(number)
        sent[answer.message_id] = before  # type: ignore[attr-defined]
        return answer

    async with subscribed(direct, people.receiver) as subscriber:
        accept = await open_loop(call, seconds=2 * seconds, rate=LATENCY_RATE)
        await subscriber.received(accept.count)
    times = sorted(subscriber.times[message_id] - at for message_id, at in sent.items())
    seen = Measured(len(times), accept.seconds, times)
    print(f"\n{f'at {LATENCY_RATE} a second':<34}{'p50 ms':>11}{'p95 ms':>9}{'p99 ms':>9}")
    for name, measured in {"send to answer": accept, "send to subscriber": seen}.items():
        print(
            f"{name:<34}{measured.percentile(50):>11.1f}{measured.percentile(95):>9.1f}{measured.percentile(99):>9.1f}"
        )


if __name__ == "__main__":
    if sys.argv[1:2] == ["files"]:
        bench.files.table.run(sys.argv[2:])
        sys.exit()
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="`files` as the first argument measures files instead."
    )
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a round")
    uvloop.run(main(parser.parse_args().seconds))
