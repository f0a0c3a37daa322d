"""The event log on Kafka."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog

from chat4all_core.adapters.kafka.appender import Appender
from chat4all_core.adapters.kafka.consumer import KafkaConsumer
from chat4all_core.adapters.kafka.refusal import KafkaRefusedError
from chat4all_core.adapters.kafka.topic_catalog import TopicCatalog
from chat4all_core.config import KafkaSection
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.source import Source
from chat4all_core.ports.event_log import TOPICS, Consumer, EventLog
from chat4all_core.ports.generation_registry import GenerationRegistry

_log = structlog.get_logger(__name__)


class KafkaEventLog:
    """Implements EventLog for the running event loop."""

    def __init__(self, section: KafkaSection, catalog: TopicCatalog, appender: Appender) -> None:
        self._section = section
        self._catalog = catalog
        self._appender = appender
        self._loop = asyncio.get_running_loop()

    def append(self, topic: str, key: str, value: bytes, headers: Mapping[str, str] | None = None) -> Awaitable[Source]:
        """See EventLog.append."""
        try:
            where = self._catalog[topic]
        except UnavailableError as error:
            refused: asyncio.Future[Source] = self._loop.create_future()
            refused.set_exception(error)
            return refused
        return self._appender.append(where, key, value, headers)

    def consumer(self, topic: str, group: str) -> Consumer:
        """See EventLog.consumer."""
        return KafkaConsumer(self._section, self._catalog, topic, group)

    async def ready(self) -> bool:
        """See EventLog.ready."""
        return not self._appender.failing and await self._catalog.can_append()


@asynccontextmanager
async def open_event_log(
    section: KafkaSection, registry: GenerationRegistry, topics: Sequence[str] = TOPICS
) -> AsyncIterator[EventLog]:
    """The log with these topics, each in the generation that is registered at a time. Opens without Kafka too: it is
    not ready then, and tries to become so again and again.

    Raises:
        TopicError: the topics are not as they were registered, or were never made.
        KafkaRefusedError: brokers do not let this process in.
    """
    catalog = TopicCatalog(section, topics, registry)
    try:
        await catalog.load()
    except KafkaRefusedError:
        raise
    except UnavailableError as error:
        _log.warning("the event log opens without Kafka", cause=str(error))
    appender = Appender(section, catalog)
    following = asyncio.create_task(catalog.follow())
    try:
        yield KafkaEventLog(section, catalog, appender)
    finally:
        following.cancel()
        await appender.close()
