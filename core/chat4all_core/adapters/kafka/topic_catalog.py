"""The topics that a process appends to and reads, as they were registered."""

import asyncio
from collections.abc import Mapping, Sequence

import structlog
from confluent_kafka.admin import AdminClient

from chat4all_core.adapters.kafka.client_config import client_config, unavailable
from chat4all_core.adapters.kafka.topic import Topic, TopicError, current_topic
from chat4all_core.adapters.kafka.topic_description import describe_topics
from chat4all_core.config import KafkaSection
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.ports.generation_registry import GenerationRegistry, TopicGeneration

_log = structlog.get_logger(__name__)

_PROBE_TIMEOUT = 2.0


class TopicCatalog:
    """Loaded once: a process stays with the generations that it found, and is restarted to see new ones."""

    def __init__(self, section: KafkaSection, topics: Sequence[str], registry: GenerationRegistry) -> None:
        self._section = section
        self._names = tuple(topics)
        self._registry = registry
        self._admin = AdminClient(client_config(section))
        self._registered: Mapping[str, TopicGeneration] = {}
        self._topics: dict[str, Topic] = {}
        self._wrong: TopicError | None = None
        self._loading = asyncio.Lock()

    def __getitem__(self, name: str) -> Topic:
        """A topic by the port's name.

        Raises:
            UnavailableError: it is not known yet, or not to be used any more.
            KeyError: the process was not told of it.
        """
        if self._wrong is not None:
            raise unavailable(str(self._wrong))
        topic = self._topics.get(name)
        if topic is None:
            if name not in self._names:
                raise KeyError(name)
            raise unavailable("the topics are not known yet")
        return topic

    async def load(self) -> None:
        """Learn the topics, unless they are known.

        Raises:
            UnavailableError: Kafka can't tell now; a later call may succeed.
            TopicError: they are not as registered.
        """
        async with self._loading:
            if self._topics:
                return
            registered = await self._registry.current()
            missing = [name for name in self._names if name not in registered]
            if missing:
                raise TopicError(f"the cluster lacks topics, which a command makes: {', '.join(missing)}")
            self._registered = {name: registered[name] for name in self._names}
            topics = {name: current_topic(self._section.topic_prefix, registered[name]) for name in self._names}
            await self._verify(topics)
            self._topics = topics

    async def can_append(self) -> bool:
        """Whether every topic is as registered, and every partition has a leader and enough replicas in sync."""
        try:
            await self.load()
            return await self._verify(self._topics) >= self._section.min_in_sync
        except UnavailableError:
            return False
        except TopicError as error:
            if self._wrong is None:
                _log.error("a topic is not the one that was registered: no more is appended", cause=str(error))
            self._wrong = error
            return False

    async def _verify(self, topics: Mapping[str, Topic]) -> int:
        """The fewest in-sync replicas of any partition."""
        found = await describe_topics(self._admin, [t.physical_name for t in topics.values()], _PROBE_TIMEOUT)
        for name, topic in topics.items():
            if topic.physical_name in found:
                found[topic.physical_name].require(self._registered[name])
            elif not self._topics:
                raise TopicError(f"{topic.physical_name} is registered, but the cluster has lost it")
            else:  # perhaps asked of a broker that has just started
                return 0
        return min((description.least_in_sync for description in found.values()), default=0)
