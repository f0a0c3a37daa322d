"""A topic that is appended to and read while operators move it: every call of the command is a step, and between any
two steps servers and workers act, or the command is killed.

The log is the weakest that the ports allow: a server may be so slow that it appends to a generation it read of long
ago, answers get lost, and workers commit whenever they like.
"""

import random
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from memory_generation_registry import MemoryGenerationRegistry

from chat4all_core.app.open_generation import OpenGeneration
from chat4all_core.ports.event_log import GROUPS, MESSAGE_ACCEPTED
from chat4all_core.ports.generation_registry import GenerationConflictError, TopicGeneration
from chat4all_core.ports.log_admin import ReaderPosition, TopicCondition

TOPIC = MESSAGE_ACCEPTED
(GROUP,) = GROUPS[TOPIC]

Send = tuple[str, int]
"""Its key, and its number among those of the key."""


class KilledError(Exception):
    """The command has ended here."""


@dataclass
class Place:
    """Where a generation lies."""

    partitions: list[list[Send | None]]
    committed: list[int]
    sealed: bool = False


@dataclass
class Server:
    """Sends under a key of its own, the next one when it has an answer."""

    key: str
    generation: int = 1
    is_sealed: bool = False
    """Both as it was told some time ago."""
    number: int = 1


@dataclass
class MovingTopic:
    """Implements LogAdmin, and lets things happen."""

    rng: random.Random
    kills: int
    """How often the command may be killed yet."""
    is_fenced: bool = True
    """Whether a sealed generation refuses appends; otherwise only servers that know of the seal keep to it."""
    places: dict[int, Place] = field(default_factory=dict)
    registry: MemoryGenerationRegistry = field(default_factory=MemoryGenerationRegistry)
    acknowledged: list[Send] = field(default_factory=list)
    handled: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    stopped: bool = False
    """Whether no worker runs."""
    servers: list[Server] = field(default_factory=lambda: [Server(f"key-{n}") for n in range(6)])

    async def begin(self, partitions: int) -> None:
        """Open the first generation."""
        await self.registry.register(await self.create(TOPIC, 1, partitions))

    async def command(self, partitions: int, *, lost: bool = False) -> TopicGeneration:
        """What an operator runs, again whenever it was killed."""
        while True:
            opening = OpenGeneration(registry=self.registry, log=self, tell=lambda _: None, sleep=self.step)
            try:
                return await opening(TOPIC, partitions, lost=lost)
            except KilledError:
                continue

    async def step(self, _seconds: float = 0) -> None:
        """Others act; the command may be killed."""
        for _ in range(self.rng.randint(0, 6)):
            await self.act()
        if self.kills and self.rng.random() < 0.2:
            self.kills -= 1
            raise KilledError

    async def act(self) -> None:
        """One thing happens."""
        if self.rng.random() < 0.6:
            await self._work()
        elif self.servers:
            await self._send(self.rng.choice(self.servers))

    async def finish(self) -> None:
        """Everybody learns of the newest generation, and workers read to the end."""
        for server in self.servers:
            await self._send(server, is_slow=False)
        place = self.places[(await self.registry.current())[TOPIC].generation]
        while any(done < len(records) for done, records in zip(place.committed, place.partitions, strict=True)):
            await self._work()

    async def _send(self, server: Server, *, is_slow: bool = True) -> None:
        if not is_slow or self.rng.random() < 0.2:
            current = (await self.registry.current())[TOPIC]
            server.generation, server.is_sealed = current.generation, current.sealed
        place = self.places.get(server.generation)
        if place is None or server.is_sealed or (place.sealed and self.is_fenced):
            return  # it will ask where to go on
        partition = zlib.crc32(server.key.encode()) % len(place.partitions)
        place.partitions[partition].append((server.key, server.number))
        if self.rng.random() < 0.8:  # else the answer is lost, and it sends the same again
            self.acknowledged.append((server.key, server.number))
            server.number += 1

    async def _work(self) -> None:
        current = (await self.registry.current())[TOPIC].generation
        place = self.places.get(current)
        if place is None:
            return
        if self.stopped:
            return
        unread = [p for p, records in enumerate(place.partitions) if len(records) > place.committed[p]]
        if not unread:
            return
        partition = self.rng.choice(unread)
        record = place.partitions[partition][place.committed[partition]]
        place.committed[partition] += 1
        if record is not None:
            key, number = record
            if number not in self.handled[key]:
                self.handled[key].append(number)

    # LogAdmin

    async def condition(self, generation: TopicGeneration) -> TopicCondition:
        await self.step()
        return TopicCondition.AS_REGISTERED if generation.generation in self.places else TopicCondition.MISSING

    async def create(self, topic: str, generation: int, partitions: int) -> TopicGeneration:
        place = self.places.setdefault(generation, Place([[] for _ in range(partitions)], [0] * partitions))
        if generation > 1:
            await self.step()
        if len(place.partitions) != partitions:
            raise GenerationConflictError(f"it was made with {len(place.partitions)}")
        return TopicGeneration(topic, generation, partitions, f"identity {generation}")

    async def mark(self, generation: TopicGeneration) -> None:
        await self.step()
        for records in self.places[generation.generation].partitions:
            records.append(None)

    async def seal(self, generation: TopicGeneration) -> None:
        await self.step()
        place = self.places.get(generation.generation)
        if place is not None:
            place.sealed = True
            for records in place.partitions:
                records.append(None)
        await self.step()

    async def positions(self, generation: TopicGeneration, groups: Sequence[str]) -> Sequence[ReaderPosition]:
        await self.step()
        place = self.places[generation.generation]
        return [
            ReaderPosition(group, p, committed, 0, len(place.partitions[p]))
            for group in groups
            for p, committed in enumerate(place.committed)
        ]


def violations(topic: MovingTopic) -> list[str]:
    """What is wrong with the outcome, in words."""
    wrong = [f"acknowledged, never handled: {key} {n}" for key, n in topic.acknowledged if n not in topic.handled[key]]
    wrong += [
        f"handled in another order than sent: {key} {numbers}"
        for key, numbers in topic.handled.items()
        if numbers != sorted(numbers)
    ]
    return wrong
