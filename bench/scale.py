"""What a message costs as conversations and history grow."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import grpc

from bench.accepted import IN_FLIGHT
from bench.delivered import HEADING, delivered
from bench.people import People
from bench.platforms import Target
from bench.seed import seeding
from bench.senders import unary
from chat4all_core.config import CassandraSection

_WITH_HISTORY = 100  # conversations among which it lies


@dataclass(frozen=True, slots=True)
class Sizes:
    """What is measured."""

    conversations: Sequence[int]
    history: int
    """Messages that a hundred of them have before."""


async def scale(
    target: Target, stores: CassandraSection, people: People, channel: grpc.aio.Channel, seconds: float, sizes: Sizes
) -> None:
    """Print a row for each number of conversations, each message in another one in turn, and one with a history."""
    print(f"\n{HEADING}")

    async def measure(name: str, conversations: list[str]) -> None:
        among = replace(people, conversations=conversations)
        call = unary(channel, among)
        await delivered(name, target, among, channel, call, seconds=seconds, in_flight=IN_FLIGHT)

    async with seeding(stores, people) as seed:
        for count in sizes.conversations:
            await measure(f"{count:,} conversations", list(await seed.conversations(count)))
        old = list(await seed.conversations(_WITH_HISTORY))
        await measure(f"{_WITH_HISTORY} conversations", old)
        old = list(await seed.conversations(_WITH_HISTORY))
        await seed.messages(old, sizes.history)
        await measure(f"{_WITH_HISTORY} conversations of {sizes.history:,} messages", old)
