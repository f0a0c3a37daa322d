"""Topics are made by a command, never by whoever comes first."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from chat4all_core.adapters.kafka.client_config import REQUEST_TIMEOUT, client_config, code_of, unavailable
from chat4all_core.adapters.kafka.generation_registry import REGISTRY_TOPIC, KafkaGenerationRegistry
from chat4all_core.adapters.kafka.topic import TopicError, physical_name
from chat4all_core.adapters.kafka.topic_description import describe_topics
from chat4all_core.config import KafkaSection
from chat4all_core.ports.generation_registry import GenerationRegistry, TopicGeneration

_HOUR_MS = 3_600_000


async def ensure_topics(
    section: KafkaSection, topics: Sequence[str], partitions: int, registry: GenerationRegistry | None = None
) -> Sequence[TopicGeneration]:
    """Make the topics that were never made, with `partitions` partitions, as their first generation; bring what
    may change of the others' configuration up to the settings. Done again, it changes nothing. One at a time.

    Raises:
        TopicError: a topic is registered, but missing or another than the registered one: it was lost, and what
            comes now is its next generation.
        UnavailableError: part of it may be done.
    """
    admin = AdminClient(client_config(section))
    await _create(admin, _registry_topic(section))
    registry = registry or KafkaGenerationRegistry(section)
    registered = await registry.current()
    current = []
    for topic in topics:
        if topic not in registered:
            current.append(await open_generation(section, topic, 1, partitions, registry))
        else:
            current.append(registered[topic])
    names = {g.topic: physical_name(section.topic_prefix, g.topic, g.generation) for g in current}
    described = await describe_topics(admin, list(names.values()))
    for generation in current:
        name = names[generation.topic]
        if name not in described:
            raise TopicError(f"{name} is registered, but the cluster has lost it: open its next generation")
        described[name].require(generation)
    await _configure(admin, [(name, _configuration(section)) for name in names.values()])
    return current


async def open_generation(
    section: KafkaSection, topic: str, generation: int, partitions: int, registry: GenerationRegistry
) -> TopicGeneration:
    """Make the topic of a generation and register it. What an interrupted call has made is taken up.

    The generation before must have been sealed and drained: from now on, whoever opens the log appends here.
    """
    admin = AdminClient(client_config(section))
    name = physical_name(section.topic_prefix, topic, generation)
    await _create(admin, NewTopic(name, partitions, section.replication, config=_configuration(section)))
    opened = TopicGeneration(topic, generation, partitions, (await _wait_for(admin, name)))
    (await describe_topics(admin, [name]))[name].require(opened)
    await registry.register(opened)
    return opened


def _configuration(section: KafkaSection) -> dict[str, str]:
    flush = {"flush.messages": "1"} if section.flush_every_record else {}
    return flush | {
        "cleanup.policy": "delete",
        "min.insync.replicas": str(section.min_in_sync),
        "retention.ms": str(section.retention_hours * _HOUR_MS),
        "unclean.leader.election.enable": "false",
    }


def _registry_topic(section: KafkaSection) -> NewTopic:
    config = {"cleanup.policy": "compact", "min.insync.replicas": str(section.min_in_sync), "flush.messages": "1"}
    return NewTopic(f"{section.topic_prefix}{REGISTRY_TOPIC}", 1, section.replication, config=config)


async def _create(admin: AdminClient, topic: NewTopic) -> None:
    try:
        for created in admin.create_topics([topic], request_timeout=REQUEST_TIMEOUT).values():
            await asyncio.wrap_future(created)
    except KafkaException as error:
        if code_of(error) != KafkaError.TOPIC_ALREADY_EXISTS:
            raise _refused(error, topic.topic) from error


async def _wait_for(admin: AdminClient, name: str) -> str:
    """The identity of a topic that was just made: brokers learn of it a little later."""
    async with asyncio.timeout(REQUEST_TIMEOUT):
        while True:
            described = await describe_topics(admin, [name])
            if name in described:
                return described[name].identity
            await asyncio.sleep(0.05)


async def _configure(admin: AdminClient, topics: Sequence[tuple[str, Mapping[str, str]]]) -> None:
    resources = [
        ConfigResource(
            ResourceType.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                for key, value in configuration.items()
            ],
        )
        for name, configuration in topics
    ]
    answers: Mapping[Any, Future[Any]] = admin.incremental_alter_configs(resources, request_timeout=REQUEST_TIMEOUT)
    waiting: list[Awaitable[Any]] = [asyncio.wrap_future(answer) for answer in answers.values()]
    try:
        await asyncio.gather(*waiting)
    except KafkaException as error:
        raise _refused(error, "the topics' configuration") from error


def _refused(error: KafkaException, what: str) -> Exception:
    cause = error.args[0]
    if isinstance(cause, KafkaError) and not cause.retriable() and cause.code() > 0:  # the broker's own answer
        return TopicError(f"{what}: {cause.str()}")
    return unavailable(error)
