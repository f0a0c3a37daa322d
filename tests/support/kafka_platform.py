"""Event logs on a real Kafka, each test's with topics of its own."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from engine_under_test import unique
from memory_generation_registry import MemoryGenerationRegistry

from chat4all_core.adapters.kafka.event_log import open_event_log
from chat4all_core.adapters.kafka.topic_admin import ensure_topics
from chat4all_core.config import KafkaSection
from chat4all_core.ports.event_log import EventLog

PARTITIONS = 12


class KafkaPlatform:
    """One platform in a cluster that others share."""

    def __init__(self, endpoint: Any, **changes: Any) -> None:
        """`endpoint` is the one in engines.json, `changes` are settings."""
        section = KafkaSection(
            bootstrap_servers=tuple(endpoint["bootstrap_servers"].split(",")),
            topic_prefix=unique("test."),
            replication=endpoint["replication_factor"],
            min_in_sync=1 if endpoint["replication_factor"] == 1 else 2,
        )
        self.section = replace(section, **changes)
        self.topics: list[str] = []
        self.registry = MemoryGenerationRegistry()

    async def new_topic(self, name: str = "") -> str:
        """Make a topic, to be there when a log is opened from now on."""
        topic = name or unique("topic")
        await ensure_topics(self.section, [topic], PARTITIONS, self.registry)
        self.topics.append(topic)
        return topic

    def open_log(self, *other_topics: str) -> AbstractAsyncContextManager[EventLog]:
        """A log with all topics that were made."""
        return open_event_log(self.section, self.registry, [*self.topics, *other_topics])
