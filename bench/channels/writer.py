"""Messages to the people on one channel, and when each was heard."""

import asyncio
import time
from collections.abc import Mapping, Sequence

from channel_customers import Customer, broken_promises, meet
from tools.simulators import Channel

from bench.channels.world import World
from bench.load import closed_loop_of, open_loop

_LOOK_SECONDS = 0.2
_IN_FLIGHT = 64


class Writer:
    """Writes to one person after the other. Messages are numbered, and those to one person wait for each other."""

    def __init__(self, world: World, channel: Channel, customers: Sequence[Customer]) -> None:
        self._world = world
        self._channel = channel
        self._customers = customers
        self._turns = [asyncio.Lock() for _ in customers]
        self._begun: dict[int, float] = {}
        """When each message was begun to be sent, by number; seconds since 1970."""

    @classmethod
    async def meeting(cls, world: World, channel: Channel, people: int, first: int = 0) -> "Writer":
        """With so many people, who are numbered from the first."""
        return cls(world, channel, await meet(world.client, channel, people, first))

    @property
    def written(self) -> int:
        """How many messages so far."""
        return len(self._begun)

    async def write(self, *, rate: float, seconds: float) -> None:
        """At a steady rate."""
        first = self.written
        await open_loop(lambda number: self._send(first + number), seconds=seconds, rate=rate)

    async def write_at_once(self, count: int) -> None:
        """As quickly as they are taken."""
        first = self.written
        await closed_loop_of(lambda number: self._send(first + number), count=count, in_flight=_IN_FLIGHT)

    def heard(self) -> Mapping[int, float]:
        """When the channel had each message, in the order in which it did; seconds since 1970."""
        names = {customer.name for customer in self._customers}
        accepted = self._world.simulators.accepted.read(channel=self._channel)
        return {int(each.text): each.accepted_at for each in accepted if each.recipient in names}

    async def all_heard(self) -> Mapping[int, float]:
        """The same, once it is all that was written."""
        while len(heard := self.heard()) < self.written:  # noqa: ASYNC110 - the simulators tell nobody
            await asyncio.sleep(_LOOK_SECONDS)
        return heard

    def latencies(self, heard: Mapping[int, float], first: int) -> Sequence[float]:
        """Seconds from the beginning of the send until the channel had it, of the messages from a number on."""
        return [at - self._begun[number] for number, at in heard.items() if number >= first]

    def broken_promises(self) -> Sequence[str]:
        """What was told twice or out of order, to whomever on the channel."""
        return broken_promises(self._world.simulators.accepted.read(channel=self._channel))

    async def _send(self, number: int) -> None:
        self._begun[number] = time.time()
        each = number % len(self._customers)
        async with self._turns[each]:
            await self._world.client.send(self._customers[each].conversation_id, str(number))
