"""What a process of the distributed platform works with."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from chat4all_core.adapters.cassandra.stores import CassandraStores, open_stores
from chat4all_core.adapters.kafka.event_log import open_event_log
from chat4all_core.adapters.memory.rate_limiter import MemoryRateLimiter
from chat4all_core.adapters.redis.client import open_client
from chat4all_core.adapters.redis.rate_limiter import RedisRateLimiter
from chat4all_core.adapters.redis.user_stream import UserStreamSettings, open_user_stream
from chat4all_core.config import Settings
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.domain.timestamp import SECOND
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.rate_limiter import RateLimiter


@dataclass(frozen=True, slots=True)
class DistributedEngine:
    """Any number of processes may have one on the same engines."""

    engine: Engine
    limiter: RateLimiter


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
        redis = await stack.enter_async_context(open_client(settings.redis))
        streams = await stack.enter_async_context(
            open_user_stream(redis, _stream_settings(settings), partial(_conversations_of, stores))
        )
        log = await stack.enter_async_context(open_event_log(settings.kafka))
        yield DistributedEngine(
            engine=Engine(
                log=log,
                messages=stores.messages,
                receipts=stores.receipts,
                conversations=stores.conversations,
                users=stores.users,
                refresh_tokens=stores.refresh_tokens,
                streams=streams,
                files=None,
            ),
            limiter=RedisRateLimiter(redis, MemoryRateLimiter(time.monotonic), time.monotonic),
        )


def _stream_settings(settings: Settings) -> UserStreamSettings:
    return UserStreamSettings(
        max_events=settings.stream.max_events, max_age=settings.stream.max_age_hours * 3_600 * SECOND
    )


async def _conversations_of(stores: CassandraStores, user_id: UserId) -> Sequence[ConversationId]:
    """All conversations of a user, by their last activity, the oldest first: for an order that Redis has lost."""
    conversations = await stores.conversations.get_many(await stores.conversations.of_user(user_id))
    newest = await stores.messages.newest([c.conversation_id for c in conversations])
    active_at = {c.conversation_id: c.created_at for c in conversations}
    active_at |= {conversation_id: stored.message.accepted_at for conversation_id, stored in newest.items()}
    return sorted(active_at, key=lambda conversation_id: active_at[conversation_id])
