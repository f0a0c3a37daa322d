"""Events for user streams, and what the streams have of them."""

import uuid
from collections.abc import Sequence

from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.domain.source import Source
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_core.ports.user_stream import StreamAppend, StreamEvent, UserStream


def new_user() -> UserId:
    """Somebody without events."""
    return UserId(ParticipantId(str(uuid.uuid4())))


def conversation(name: str = "c") -> ConversationId:
    """A conversation."""
    return ConversationId(name)


def event(
    users: Sequence[UserId],
    offset: int,
    index: int = 0,
    *,
    role: str = "router",
    partition: int = 0,
    generation: int = 1,
    of: str = "c",
    sequence: int = 0,
) -> StreamAppend:
    """An event whose payload names where it came from."""
    source = Source(generation, partition, offset)
    payload = f"{role} {generation} {partition} {offset} {index}".encode()
    return StreamAppend(role, source, index, users, payload, conversation(of), sequence)


async def start_of(streams: UserStream, user: UserId) -> StreamPosition:
    """The place before the first event."""
    return StreamPosition((await streams.head(user)).epoch, 0)


async def everything(streams: UserStream, user: UserId) -> Sequence[StreamEvent]:
    """All events that a stream ever had, or PositionLostError."""
    return await streams.read(user, await start_of(streams, user), 10_000)


async def payloads(streams: UserStream, user: UserId) -> list[bytes]:
    """Theirs."""
    return [e.payload for e in await everything(streams, user)]
