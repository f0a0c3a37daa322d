"""Making what the engines need before a process can work with them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chat4all_core.adapters.cassandra.errors import QueryRefusedError
from chat4all_core.adapters.cassandra.generation_registry import open_generation_registry
from chat4all_core.adapters.cassandra.migration import SchemaMissingError, migrate
from chat4all_core.adapters.kafka.topic import TopicError
from chat4all_core.adapters.kafka.topic_admin import ensure_topics
from chat4all_core.adapters.redis.errors import RedisRefusedError
from chat4all_core.adapters.s3.errors import S3RefusedError
from chat4all_core.adapters.s3.setup import create_bucket
from chat4all_core.config import Settings
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.ports.event_log import TOPICS
from chat4all_core.ports.generation_registry import GenerationConflictError, TopicGeneration

ENGINE_ERRORS = (
    UnavailableError,
    QueryRefusedError,
    SchemaMissingError,
    TopicError,
    GenerationConflictError,
    RedisRefusedError,
    S3RefusedError,
)
"""Why a process can't begin, for whoever operates it: the message says it all."""


@dataclass(frozen=True, slots=True)
class SetUp:
    """What there is."""

    migrations: Sequence[str]
    """The ones that were just applied."""
    bucket_made: bool
    """Whether the one of files was missing."""
    topics: Sequence[TopicGeneration]


async def set_up(settings: Settings) -> SetUp:
    """Make the keyspace, its tables, the bucket and the topics as far as they are missing. It may be repeated after any
    failure, and must be done before processes of a new release start; those of the release before go on working.

    Raises:
        UnavailableError: an engine can't be reached.
        QueryRefusedError: Cassandra's account may not change the schema.
        S3RefusedError: the store's account may not make the bucket, or the name is another's.
        TopicError: a topic is not the one that was made.
        GenerationConflictError: another process sets them up too.
    """
    migrations = await asyncio.to_thread(migrate, settings.cassandra)
    bucket_made = await asyncio.to_thread(create_bucket, settings.s3)
    async with open_generation_registry(settings.cassandra) as registry:
        topics = await ensure_topics(settings.kafka, TOPICS, settings.log.partitions, registry)
    return SetUp(migrations, bucket_made, topics)


async def registered_topics(settings: Settings) -> Mapping[str, TopicGeneration]:
    """The generation of each topic that is in use now.

    Raises:
        UnavailableError: Cassandra can't be reached.
    """
    async with open_generation_registry(settings.cassandra) as registry:
        return await registry.current()
