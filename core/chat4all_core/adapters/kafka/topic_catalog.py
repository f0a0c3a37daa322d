"""The topics that a process appends to and reads, as they are registered."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

import structlog

from chat4all_core.adapters.kafka.client_config import REQUEST_TIMEOUT, unavailable
from chat4all_core.adapters.kafka.refusal import CautiousAdmin
from chat4all_core.adapters.kafka.topic import Topic, TopicError, current_topic, physical_name
from chat4all_core.adapters.kafka.topic_description import TopicDescription, describe_topics, find_topics
from chat4all_core.config import KafkaSection
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.ports.generation_registry import GenerationRegistry, TopicGeneration

_log = structlog.get_logger(__name__)

_PROBE_TIMEOUT = 2.0
_FOLLOW_SECONDS = 1.0


class TopicCatalog:
    """Follows the registry: a topic that has moved to its next generation is found there, never in an earlier one
    again."""

    def __init__(self, section: KafkaSection, topics: Sequence[str], registry: GenerationRegistry) -> None:
        self._section = section
        self._names = tuple(topics)
        self._registry = registry
        self._cautious = CautiousAdmin(section)
        self._admin = self._cautious.client
        self._registered: dict[str, TopicGeneration] = {}
        self._topics: dict[str, Topic] = {}
        self._wrong: dict[str, TopicError] = {}
        self._loading = asyncio.Lock()

    def __getitem__(self, name: str) -> Topic:
        """A topic by the port's name.

        Raises:
            UnavailableError: it is not known yet, or not to be used any more.
            KeyError: the process was not told of it.
        """
        if name in self._wrong:
            raise unavailable(str(self._wrong[name]))
        topic = self._topics.get(name)
        if topic is None:
            if name not in self._names:
                raise KeyError(name)
            raise unavailable("the topics are not known yet")
        return topic

    def generation(self, name: str) -> int:
        """The number of the generation that is in use, as far as this process knows."""
        return self._registered[name].generation

    def is_sealed(self, name: str) -> bool:
        """Whether it takes no more, and waits for its successor."""
        return self._registered[name].sealed

    async def load(self) -> None:
        """Learn the topics, unless they are known.

        Raises:
            KafkaRefusedError: brokers do not let this process in.
            UnavailableError: Kafka or the registry can't tell now; a later call may succeed.
            TopicError: they are not as registered.
        """
        if not self._topics:
            with self._cautious.told():
                await self.refresh()

    async def refresh(self) -> None:
        """Learn what is registered now. Raises as `load` does."""
        async with self._loading:
            registered = await self._registry.current()
            missing = [name for name in self._names if name not in registered]
            if missing:
                raise TopicError(f"the cluster lacks topics, which a command makes: {', '.join(missing)}")
            opened = {name: registered[name] for name in self._names if self._is_newer(registered[name])}
            if opened:
                await self._require(opened)
                self._take_up(opened)
            for name in self._names:
                if registered[name].generation == self._registered[name].generation:
                    self._registered[name] = registered[name]

    async def follow(self) -> None:
        """Keep up with the registry, for ever."""
        while True:
            await asyncio.sleep(_FOLLOW_SECONDS)
            try:
                await self.refresh()
            except UnavailableError as error:
                _log.debug("whether a topic has moved is not known now", cause=str(error))
            except TopicError as error:
                _log.error("a topic is not as it is registered", cause=str(error))

    async def verify(self, name: str, generation: int) -> None:
        """Make sure that what is read as a generation is the topic that was registered as it.

        Raises:
            TopicError: it is not.
            UnavailableError: that can't be known now.
        """
        registered = self._registered[name]
        if registered.generation == generation:
            for found in (await self._describe([registered])).values():
                found.require(registered)

    async def can_append(self) -> bool:
        """Whether every topic is as registered, and every partition has a leader and enough replicas in sync."""
        try:
            await self.load()
            asked = dict(self._registered)
            found = await self._describe(asked.values(), _PROBE_TIMEOUT)
        except UnavailableError:
            return False
        except TopicError as error:
            _log.error("the topics are not as they are registered", cause=str(error))
            return False
        if any(self._registered[name].generation > asked[name].generation for name in asked):
            return False  # the answer is of a topic that has moved meanwhile
        for name, description in found.items():
            try:
                description.require(asked[name])
            except TopicError as error:
                if name not in self._wrong:
                    _log.error("a topic is not the one that was registered: no more is appended", cause=str(error))
                self._wrong[name] = error
        # Else it was asked of a broker that has just started, perhaps.
        is_whole = found.keys() == self._registered.keys() and not self._wrong
        return is_whole and min(d.least_in_sync for d in found.values()) >= self._section.min_in_sync

    def _is_newer(self, registered: TopicGeneration) -> bool:
        known = self._registered.get(registered.topic)
        return known is None or registered.generation > known.generation

    def _take_up(self, opened: Mapping[str, TopicGeneration]) -> None:
        for name, generation in opened.items():
            if name in self._registered:
                _log.info("a topic has moved", topic=name, generation=generation.generation)
            self._registered[name] = generation
            self._topics[name] = current_topic(self._section.topic_prefix, generation)
            self._wrong.pop(name, None)

    async def _require(self, opened: Mapping[str, TopicGeneration]) -> None:
        names = {name: self._physical_name(generation) for name, generation in opened.items()}
        described = await find_topics(self._admin, list(names.values()))
        found = {name: described[physical] for name, physical in names.items() if physical in described}
        for name, generation in opened.items():
            if name in found:
                found[name].require(generation)
            elif name in self._registered:
                raise unavailable(f"{self._physical_name(generation)} is not known to every broker yet")
            else:
                raise TopicError(f"{self._physical_name(generation)} is registered, but the cluster has lost it")

    async def _describe(
        self, generations: Collection[TopicGeneration], timeout: float = REQUEST_TIMEOUT
    ) -> Mapping[str, TopicDescription]:
        """What the cluster has, by the port's name."""
        names = {generation.topic: self._physical_name(generation) for generation in generations}
        found = await describe_topics(self._admin, list(names.values()), timeout)
        return {name: found[physical] for name, physical in names.items() if physical in found}

    def _physical_name(self, generation: TopicGeneration) -> str:
        return physical_name(self._section.topic_prefix, generation.topic, generation.generation)
