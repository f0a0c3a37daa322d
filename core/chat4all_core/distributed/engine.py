"""What a process of the distributed platform works with."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from chat4all_core.adapters.cassandra.stores import open_stores
from chat4all_core.adapters.kafka.event_log import open_event_log
from chat4all_core.adapters.memory.rate_limiter import MemoryRateLimiter
from chat4all_core.adapters.redis.client import open_client
from chat4all_core.adapters.redis.rate_limiter import RedisRateLimiter
from chat4all_core.adapters.redis.user_stream import UserStreamSettings, open_user_stream
from chat4all_core.app.conversations_by_activity import ConversationsByActivity
from chat4all_core.config import Settings
from chat4all_core.domain.timestamp import SECOND
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.generation_registry import GenerationRegistry
from chat4all_core.ports.rate_limiter import RateLimiter


@dataclass(frozen=True, slots=True)
class DistributedEngine:
    """Any number of processes may have one on the same engines."""

    engine: Engine
    limiter: RateLimiter
    generations: GenerationRegistry


@asynccontextmanager
async def open_distributed_engine(settings: Settings, clock: Clock) -> AsyncIterator[DistributedEngine]:
    """Connect, for the running event loop. Closed in reverse order, also when a later part can't be opened.

    Raises:
        UnavailableError: Cassandra or Redis can't be reached. Kafka may be away: the log is not ready then.
        SchemaMissingError, TopicError: `setup` has to be run first.
        QueryRefusedError, RedisRefusedError: an account may not do what it has to.
    """
    async with AsyncExitStack() as stack:
        stores = await stack.enter_async_context(open_stores(settings.cassandra, clock))
        conversations_of = ConversationsByActivity(stores.conversations, stores.messages)
        redis = await stack.enter_async_context(open_client(settings.redis))
        streams = await stack.enter_async_context(open_user_stream(redis, _stream_settings(settings), conversations_of))
        log = await stack.enter_async_context(open_event_log(settings.kafka, stores.generations))
        yield DistributedEngine(
            engine=Engine(
                log=log,
                messages=stores.messages,
                receipts=stores.receipts,
                conversations=stores.conversations,
                users=stores.users,
                refresh_tokens=stores.refresh_tokens,
                contacts=stores.contacts,
                link_codes=stores.link_codes,
                identities=stores.identities,
                delivery_states=stores.delivery_states,
                streams=streams,
                files=stores.files,
                ledger=stores.ledger,
                provider_messages=stores.provider_messages,
                deferred=stores.deferred,
                dead_letters=stores.dead_letters,
            ),
            limiter=RedisRateLimiter(redis, MemoryRateLimiter(time.monotonic), time.monotonic),
            generations=stores.generations,
        )


def _stream_settings(settings: Settings) -> UserStreamSettings:
    return UserStreamSettings(
        max_events=settings.stream.max_events, max_age=settings.stream.max_age_hours * 3_600 * SECOND
    )
