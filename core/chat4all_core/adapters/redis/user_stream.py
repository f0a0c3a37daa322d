"""The streams of events of all users on Redis.

Each user has a few keys of one hash slot; a script does all of an operation in one step (`scripts/_stream.lua` names
the keys). On a single node one script appends to many streams at once, in a cluster it is one a user, many in a round
trip.

**Epochs.** A stream has an epoch of its own: a random value, kept beside the replication id (`master_replid`) of the
Redis that it began in. Redis takes a new replication id when it restarts, whatever it lost, and when a replica is
promoted, however far it lagged. Every script asks Redis itself for the present id, in the same step as it reads or
writes, so no client has to notice a failover, and one that did not can do no harm: an append goes to the present
epoch, which a stream whose ids differ begins anew, with all its old events dropped; a place of an older epoch is told
as such. Streams that were lost altogether have no epoch, and get a new one. So what a crash loses (with
`appendfsync everysec`, up to a second) costs a RESET and is never a silent gap. Redis also takes a new id when its
first replica joins, or the first after an hour without any, and a slot that moves to another node comes under that
one's: a RESET for nothing, but a safe one.

What survives keeps its worth in the new epoch: which records were taken, what is unacknowledged, the order of
conversations. Conversations that were lost are asked for where they are kept for ever (`conversations_of`).
"""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from chat4all_core.adapters.redis.append_order import AppendOrder
from chat4all_core.adapters.redis.append_plan import AppendArguments, by_user, groups_of, sources_of
from chat4all_core.adapters.redis.client import RedisClient
from chat4all_core.adapters.redis.script import Argument, Call, Script, load_script
from chat4all_core.adapters.redis.stream_blob import decode_events
from chat4all_core.adapters.redis.stream_keys import StreamKeys
from chat4all_core.adapters.redis.stream_watch import WatchHub
from chat4all_core.adapters.redis.subscriptions import Subscriptions
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_core.domain.timestamp import SECOND
from chat4all_core.ports.user_stream import ConversationActivity, PositionLostError, StreamAppend, StreamEvent, Watch

_log = logging.getLogger(__name__)

_INTRODUCED_PER_CALL = 250

ConversationsOf = Callable[[UserId], Awaitable[Sequence[ConversationId]]]
"""All conversations of a user, by their last activity, the oldest first. Those that the user has left may be among
them."""


@dataclass(frozen=True, slots=True)
class UserStreamSettings:
    """How much of each stream is kept."""

    max_events: int = 10_000
    """A stream that is a tenth longer, but at most 64 events, is cut down to this many."""
    max_age: int = 7 * 24 * 3_600 * SECOND
    """Older events are dropped when others are appended, or when none was for so long."""
    watch_capacity: int = 1_000
    """Events that a watch holds for a reader who is busy."""


class RedisUserStream:
    """Implements UserStream for any number of processes. A place in the part that was trimmed acknowledges nothing of
    a conversation whose newest trimmed event lies after it: too little, never too much."""

    def __init__(
        self,
        client: RedisClient,
        hub: WatchHub,
        settings: UserStreamSettings,
        conversations_of: ConversationsOf,
    ) -> None:
        self._client = client
        self._hub = hub
        self._settings = settings
        self._conversations_of = conversations_of
        self._keys = StreamKeys(client.key_prefix)
        self._order = AppendOrder()
        self._scripts = _Scripts()

    async def append(self, appends: Sequence[StreamAppend]) -> None:
        """See UserStream.append."""
        sources = sources_of(appends)
        async with self._order.turn(set(sources)):
            arguments = AppendArguments(appends, sources)
            limits = (_token(), self._settings.max_events, self._settings.max_age * 1_000 // SECOND)
            await self._client.run_all(
                [
                    Call(
                        self._scripts.append,
                        [key for user, _ in group for key in self._keys.of(user)],
                        [*limits, *arguments.of(group)],
                    )
                    for group in groups_of(by_user(appends), one_user_each=self._client.is_cluster)
                ]
            )

    async def head(self, user_id: UserId) -> StreamPosition:
        """See UserStream.head."""
        epoch, offset = await self._run(self._scripts.head, user_id, _token())
        return StreamPosition(epoch.decode(), int(offset))

    async def read(self, user_id: UserId, after: StreamPosition, limit: int) -> Sequence[StreamEvent]:
        """See UserStream.read."""
        answer = await self._run(self._scripts.read, user_id, after.epoch, after.offset, limit)
        if isinstance(answer, bytes):
            raise PositionLostError(epoch_changed=answer == b"EPOCH")
        return list(decode_events(b"".join(answer), after))

    def watch(self, user_id: UserId) -> AbstractAsyncContextManager[Watch]:
        """See UserStream.watch."""
        return self._hub.watch(self._keys.channel(user_id))

    async def unacknowledged(self, user_id: UserId, up_to: StreamPosition) -> Mapping[ConversationId, int]:
        """See UserStream.unacknowledged."""
        answer = await self._run(self._scripts.unacknowledged, user_id, up_to.epoch, up_to.offset)
        return {ConversationId(c.decode()): int(s) for c, s in zip(answer[::2], answer[1::2], strict=True)}

    async def acknowledge(self, user_id: UserId, up_to: StreamPosition) -> None:
        """See UserStream.acknowledge."""
        await self._run(self._scripts.acknowledge, user_id, up_to.epoch, up_to.offset)

    async def introduce(self, users: Sequence[UserId], conversation_id: ConversationId) -> None:
        """See UserStream.introduce."""
        size = 1 if self._client.is_cluster else _INTRODUCED_PER_CALL
        groups = [users[at : at + size] for at in range(0, len(users), size)]
        await self._client.run_all(
            [
                Call(
                    self._scripts.introduce,
                    [key for user in group for key in self._keys.of(user)],
                    [_token(), conversation_id],
                )
                for group in groups
            ]
        )

    async def recent_conversations(
        self, user_id: UserId, before: int | None, limit: int
    ) -> Sequence[ConversationActivity]:
        """See UserStream.recent_conversations."""
        below = "+inf" if before is None else f"({before}"
        whole, found = await self._run(self._scripts.recent, user_id, below, limit)
        if not whole:
            await self.rebuild(user_id, await self._conversations_of(user_id))
            _, found = await self._run(self._scripts.recent, user_id, below, limit)
        return [
            ConversationActivity(ConversationId(c.decode()), int(activity))
            for c, activity in zip(found[::2], found[1::2], strict=True)
        ]

    async def rebuild(self, user_id: UserId, conversations: Sequence[ConversationId]) -> None:
        """Add what a user's order of conversations has lost, given all of them by their last activity, the oldest
        first. Nothing happens if it is known to be whole."""
        await self._run(self._scripts.rebuild, user_id, _token(), *conversations)

    async def _run(self, script: Script, user_id: UserId, *arguments: Argument) -> Any:
        return await self._client.run(Call(script, self._keys.of(user_id), arguments))


@asynccontextmanager
async def open_user_stream(
    client: RedisClient, settings: UserStreamSettings, conversations_of: ConversationsOf
) -> AsyncIterator[RedisUserStream]:
    """The streams in a Redis."""
    subscriptions = Subscriptions(client)
    hub = WatchHub(subscriptions, settings.watch_capacity)
    listening = asyncio.create_task(subscriptions.run(hub))
    listening.add_done_callback(_tell_end)
    try:
        yield RedisUserStream(client, hub, settings, conversations_of)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def _tell_end(listening: "asyncio.Task[None]") -> None:
    # Only a mistake in the program ends it. Without it no watch can begin, and none hears anything.
    if not listening.cancelled() and (error := listening.exception()):
        _log.error("nothing tells of events any more", exc_info=error)


class _Scripts:
    """All operations."""

    def __init__(self) -> None:
        self.append = load_script("append", shared="_stream")
        self.head = load_script("head", shared="_stream")
        self.introduce = load_script("introduce", shared="_stream")
        self.acknowledge = load_script("acknowledge", shared="_stream")
        self.rebuild = load_script("rebuild", shared="_stream")
        self.read = load_script("read", shared="_stream", writes=False)
        self.unacknowledged = load_script("unacknowledged", shared="_stream", writes=False)
        self.recent = load_script("recent", shared="_stream", writes=False)


def _token() -> str:
    """What tells a new epoch from those that others begin in the same microsecond."""
    return secrets.token_hex(6)
