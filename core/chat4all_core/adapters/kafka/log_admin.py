"""Topics and their readers, for an operator's command."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from chat4all_core.adapters.kafka.client_config import REQUEST_TIMEOUT, client_config, unavailable
from chat4all_core.adapters.kafka.group_observer import GroupObserver
from chat4all_core.adapters.kafka.seal import mark_topic, seal_topic
from chat4all_core.adapters.kafka.topic import TopicError, physical_name
from chat4all_core.adapters.kafka.topic_admin import create_generation
from chat4all_core.adapters.kafka.topic_description import find_topics
from chat4all_core.config import KafkaSection
from chat4all_core.ports.generation_registry import GenerationConflictError, TopicGeneration
from chat4all_core.ports.log_admin import ReaderPosition, TopicCondition

# The client's constructors have no types.
_FIRST: OffsetSpec = OffsetSpec.earliest()  # type: ignore[no-untyped-call]
_END: OffsetSpec = OffsetSpec.latest()  # type: ignore[no-untyped-call]

_PAUSE = 0.05
_PATIENCE = 30.0
"""Seconds; a broker with a busy disk takes a while to make many partitions."""


class KafkaLogAdmin:
    """Implements LogAdmin."""

    def __init__(self, section: KafkaSection) -> None:
        self._section = section
        self._admin = AdminClient(client_config(section))
        self._groups = GroupObserver(section)

    async def condition(self, generation: TopicGeneration) -> TopicCondition:
        """See LogAdmin.condition."""
        name = self._name(generation)
        found = (await find_topics(self._admin, [name])).get(name)
        if found is None:
            return TopicCondition.MISSING
        if found.identity != generation.identity:
            return TopicCondition.MADE_ANEW
        if found.partitions != generation.partitions:
            return TopicCondition.REPARTITIONED
        return TopicCondition.AS_REGISTERED

    async def create(self, topic: str, generation: int, partitions: int) -> TopicGeneration:
        """See LogAdmin.create."""
        try:
            made = await create_generation(self._section, self._admin, topic, generation, partitions)
        except TopicError as error:
            raise GenerationConflictError(str(error)) from error
        if any((await self._read(made, lambda: self._offsets(made, _END))).values()):
            name = self._name(made)
            raise GenerationConflictError(
                f"{name} is not registered, but holds records: delete it if they don't matter"
            )
        return made

    async def mark(self, generation: TopicGeneration) -> None:
        """See LogAdmin.mark."""
        await mark_topic(self._section, self._name(generation), generation.partitions)

    async def seal(self, generation: TopicGeneration) -> None:
        """See LogAdmin.seal."""
        await seal_topic(self._section, self._admin, self._name(generation))

    async def positions(self, generation: TopicGeneration, groups: Sequence[str]) -> Sequence[ReaderPosition]:
        """See LogAdmin.positions."""
        # In this order: all of them only grow, and a group that is read of last would seem to be beyond the end.
        first = await self._read(generation, lambda: self._offsets(generation, _FIRST))
        committed = {
            group: await self._read(generation, partial(self._committed, group, generation)) for group in groups
        }
        end = await self._read(generation, lambda: self._offsets(generation, _END))
        return [
            ReaderPosition(group, p, offsets.get(p), first[p], end[p])
            for group, offsets in committed.items()
            for p in range(generation.partitions)
        ]

    async def _offsets(self, generation: TopicGeneration, which: OffsetSpec) -> dict[int, int]:
        asked = dict.fromkeys(self._partitions(generation), which)
        answers = self._admin.list_offsets(asked, request_timeout=REQUEST_TIMEOUT)
        return {p.partition: (await asyncio.wrap_future(answer)).offset for p, answer in answers.items()}

    async def _committed(self, group: str, generation: TopicGeneration) -> dict[int, int]:
        return await self._groups.committed(group, self._partitions(generation))

    async def _read(
        self, generation: TopicGeneration, question: Callable[[], Awaitable[dict[int, int]]]
    ) -> dict[int, int]:
        """Ask until there is an answer: a partition that is new, or whose leader changes, has none for a moment,
        and the client does not say which errors are of that kind."""
        give_up = time.monotonic() + _PATIENCE
        while True:
            try:
                return await question()
            except KafkaException as error:
                if time.monotonic() > give_up:
                    raise unavailable(error) from error
            await self._look_up_leaders(generation)
            await asyncio.sleep(_PAUSE)

    async def _look_up_leaders(self, generation: TopicGeneration) -> None:
        # The client goes on asking the leader that it knows, also when it hears that there is a newer one.
        with contextlib.suppress(KafkaException):
            await asyncio.to_thread(self._admin.list_topics, self._name(generation), REQUEST_TIMEOUT)

    def _partitions(self, generation: TopicGeneration) -> list[TopicPartition]:
        return [TopicPartition(self._name(generation), p) for p in range(generation.partitions)]

    def _name(self, generation: TopicGeneration) -> str:
        return physical_name(self._section.topic_prefix, generation.topic, generation.generation)
