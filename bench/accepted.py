"""How many sends are answered, each way in turn with the echo, so that a noisy machine is noisy for both."""

import statistics

import grpc

from bench.echo import METHOD
from bench.load import Call, Measured, closed_loop
from bench.people import People
from bench.platforms import Target
from bench.senders import TEXT, rest, streams, unary

IN_FLIGHT = 64
_ROUNDS = 3


async def accepted(
    target: Target,
    people: People,
    direct: grpc.aio.Channel,
    through_envoy: grpc.aio.Channel,
    echo_channel: grpc.aio.Channel,
    seconds: float,
) -> None:
    """Print a row for each way to send."""
    bare = echo_channel.unary_unary(METHOD)
    payload = TEXT.encode()
    print(f"\n{'accepted':<34}{'per second':>11}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'of echo':>9}")
    async with rest(target.envoy_port, people) as by_rest, streams(direct, people) as by_stream:
        ways: dict[str, Call] = {
            "unary gRPC": unary(direct, people),
            "unary gRPC through Envoy": unary(through_envoy, people),
            "REST through Envoy": by_rest,
            "SendMessageStream": by_stream,
        }
        for name, call in ways.items():
            rounds: list[tuple[Measured, Measured]] = []
            for _ in range(_ROUNDS):
                base = await closed_loop(lambda _: bare(payload), seconds=seconds / 2, in_flight=IN_FLIGHT)
                rounds.append((await closed_loop(call, seconds=seconds, in_flight=IN_FLIGHT), base))
            _row(name, rounds)
        _row("(bare echo)", [(base, base) for _, base in rounds])


def _row(name: str, rounds: list[tuple[Measured, Measured]]) -> None:
    ratio = statistics.median(measured.rate / base.rate for measured, base in rounds)
    middle = sorted((measured for measured, _ in rounds), key=lambda m: m.rate)[len(rounds) // 2]
    times = "".join(f"{middle.percentile(p):>9.1f}" for p in (50, 95, 99))
    print(f"{name:<34}{middle.rate:>11.0f}{times}{ratio:>9.2f}", flush=True)
