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

from chat4all_core.adapters.kafka.client_config import REQUEST_TIMEOUT, code_of, unavailable
from chat4all_core.adapters.kafka.refusal import CautiousAdmin
from chat4all_core.adapters.kafka.topic import TopicError, physical_name
from chat4all_core.adapters.kafka.topic_description import find_topics
from chat4all_core.config import KafkaSection
from chat4all_core.ports.generation_registry import GenerationRegistry, TopicGeneration

_HOUR_MS = 3_600_000


async def ensure_topics(
    section: KafkaSection, topics: Sequence[str], partitions: int, registry: GenerationRegistry
) -> Sequence[TopicGeneration]:
    """Make the topics that were never made, with `partitions` partitions, as their first generation; bring what
    may change of the others' configuration up to the settings. Done again, it changes nothing. One at a time.

    Raises:
        TopicError: a topic is registered, but missing or another than the registered one: it was lost, and what
            comes now is its next generation.
        GenerationConflictError: somebody else has just made another.
        KafkaRefusedError: brokers do not let this process in.
        UnavailableError: part of it may be done.
    """
    admin = CautiousAdmin(section)
    with admin.told():
        return await _ensure(section, admin.client, topics, partitions, registry)


async def _ensure(
    section: KafkaSection, admin: AdminClient, topics: Sequence[str], partitions: int, registry: GenerationRegistry
) -> Sequence[TopicGeneration]:
    registered = await registry.current()
    current = []
    for topic in topics:
        if topic not in registered:
            first = await create_generation(section, admin, topic, 1, partitions)
            await registry.register(first)
            current.append(first)
        else:
            current.append(registered[topic])
    names = {g.topic: physical_name(section.topic_prefix, g.topic, g.generation) for g in current}
    described = await find_topics(admin, list(names.values()))
    for generation in current:
        name = names[generation.topic]
        if name not in described:
            raise TopicError(f"{name} is registered, but the cluster has lost it: open its next generation")
        described[name].require(generation)
    await alter_topics(admin, {name: _configuration(section) for name in names.values()})
    return current


async def create_generation(
    section: KafkaSection, admin: AdminClient, topic: str, generation: int, partitions: int
) -> TopicGeneration:
    """Make the topic of a generation. What an interrupted call has made is taken up.

    Raises:
        TopicError: there is one of its name with another number of partitions, or the broker refuses it.
        UnavailableError: it may be made.
    """
    name = physical_name(section.topic_prefix, topic, generation)
    await _create(admin, NewTopic(name, partitions, section.replication, config=_configuration(section)))
    made = (await find_topics(admin, [name])).get(name)
    if made is None:
        raise unavailable(f"{name} was made, but no broker tells of it yet")
    if made.partitions != partitions:
        raise TopicError(f"{name} was made before, with {made.partitions} partitions: ask for as many, or delete it")
    return TopicGeneration(topic, generation, partitions, made.identity)


def _configuration(section: KafkaSection) -> dict[str, str]:
    flush = {"flush.messages": "1"} if section.flush_every_record else {}
    return flush | {
        "cleanup.policy": "delete",
        "min.insync.replicas": str(section.min_in_sync),
        "retention.ms": str(section.retention_hours * _HOUR_MS),
        "unclean.leader.election.enable": "false",
    }


async def _create(admin: AdminClient, topic: NewTopic) -> None:
    try:
        for created in admin.create_topics([topic], request_timeout=REQUEST_TIMEOUT).values():
            await asyncio.wrap_future(created)
    except KafkaException as error:
        if code_of(error) != KafkaError.TOPIC_ALREADY_EXISTS:
            raise _refused(error, topic.topic) from error


async def alter_topics(admin: AdminClient, topics: Mapping[str, Mapping[str, str]]) -> None:
    """Change, by topic, the values that are given.

    Raises:
        TopicError: the broker refuses it, such as for a topic that does not exist.
        UnavailableError: part of it may be done.
    """
    resources = [
        ConfigResource(
            ResourceType.TOPIC,
            name,
            incremental_configs=[
                ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
                for key, value in configuration.items()
            ],
        )
        for name, configuration in topics.items()
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
