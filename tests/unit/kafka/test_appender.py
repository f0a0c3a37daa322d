"""Appends while their topic moves, to a cluster that librdkafka plays in this process."""

from typing import Any, cast

import pytest
from confluent_kafka import Producer

from chat4all_core.adapters.kafka.appender import Appender
from chat4all_core.adapters.kafka.topic import Topic
from chat4all_core.adapters.kafka.topic_catalog import TopicCatalog
from chat4all_core.config import KafkaSection
from chat4all_core.domain.source import Source

FIRST = Topic("topic", "topic", 1, 1)
SECOND = Topic("topic", "topic.g2", 2, 1)

ANSWER_MILLISECONDS = 100
"""Longer than the appender takes to look where held appends go."""


@pytest.fixture
def cluster() -> Any:
    """A client that plays a broker for others, which takes its time to answer, as long as it lives."""
    return Producer({"test.mock.num.brokers": 1, "test.mock.broker.rtt": ANSWER_MILLISECONDS})


@pytest.fixture
def section(cluster: Any) -> KafkaSection:
    """Leads to that broker."""
    brokers = cluster.list_topics(timeout=10).brokers.values()
    return KafkaSection(bootstrap_servers=tuple(f"{broker.host}:{broker.port}" for broker in brokers))


class Catalog:
    """Knows the second generation."""

    def __getitem__(self, name: str) -> Topic:
        return SECOND

    def generation(self, name: str) -> int:
        return SECOND.generation

    def is_sealed(self, name: str) -> bool:
        return False

    async def refresh(self) -> None:
        pass


async def test_one_given_up_leaves_those_in_flight_where_they_are(section: KafkaSection) -> None:
    """An append in flight is told the generation it went to, also when the topic has moved and the only append that
    was held for the next one is not wanted any more."""
    appender = Appender(section, cast(TopicCatalog, Catalog()))
    in_flight = appender.append(FIRST, "key", b"1", None)
    appender.append(SECOND, "key", b"2", None).cancel()
    assert await in_flight == Source(1, 0, 0)
    assert await appender.append(SECOND, "key", b"3", None) == Source(2, 0, 0)
    await appender.close()
