"""The stream of events of each user.

Words. A stream is append-only and holds the newest events of one user, bounded by number and age. An event's
place is a `StreamPosition`. A *watch* hears of new events as they are appended.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.domain.source import Source
from chat4all_core.domain.stream_position import StreamPosition


@dataclass(frozen=True, slots=True)
class StreamAppend:
    """One event for the streams of several users."""

    role: str
    """The worker role that appends: a source is only comparable within a role."""
    source: Source
    """The log record that caused the event."""
    index: int
    """Tells events of one record apart: 0, 1, 2, … in the order in which they are appended."""
    users: Sequence[UserId]
    payload: bytes
    """The event, encoded for clients; the same for every user."""
    conversation_id: ConversationId
    message_sequence: int = 0
    """The sequence of the message that the event announces, which acknowledging the event
    acknowledges; 0 for events of other kinds."""


@dataclass(frozen=True, slots=True)
class StreamEvent:
    """An event as it lies in one user's stream."""

    position: StreamPosition
    """The place after the event."""
    conversation_id: ConversationId
    payload: bytes


@dataclass(frozen=True, slots=True)
class ConversationActivity:
    """A conversation of a user's, with what orders it among the others."""

    conversation_id: ConversationId
    activity: int
    """Grows with each event of the conversation in this user's stream; no two conversations of a user share one."""


class PositionLostError(Exception):
    """The events after a position can't be given any more."""

    def __init__(self, *, epoch_changed: bool) -> None:
        super().__init__("the stream was rebuilt" if epoch_changed else "the position is too old")
        self.epoch_changed = epoch_changed
        """The position is of another epoch; otherwise events after it were trimmed."""


class Watch(Protocol):
    """What a subscriber waits on."""

    async def next(self, timeout: float) -> Sequence[StreamEvent]:
        """The events appended since the last call, in order; waits up to `timeout` seconds for the first.
        Empty means nothing is known: either no event came, or more came than the watch holds. A caller who keeps
        count of offsets sees a gap, and reads the stream."""
        ...

    def wake(self) -> None:
        """Make the pending `next`, or else the one that comes, return at once."""
        ...


class UserStream(Protocol):
    """The streams of all users."""

    async def append(self, appends: Sequence[StreamAppend]) -> None:
        """Append events durably, in order. Each stream skips, per (role, generation, partition), what is not newer
        than the last (offset, index) it took, so that appending again changes nothing.

        Raises:
            UnavailableError: perhaps not all of them are appended.
        """
        ...

    async def head(self, user_id: UserId) -> StreamPosition:
        """The place after the newest event."""
        ...

    async def read(self, user_id: UserId, after: StreamPosition, limit: int) -> Sequence[StreamEvent]:
        """Up to `limit` events after a place, in order and without a gap.

        Raises:
            PositionLostError: there were events after it that are no longer kept, or it is of another epoch,
                or it lies beyond the head.
        """
        ...

    def watch(self, user_id: UserId) -> AbstractAsyncContextManager[Watch]:
        """Hear of every event that is appended after the context was entered."""
        ...

    async def unacknowledged(self, user_id: UserId, up_to: StreamPosition) -> Mapping[ConversationId, int]:
        """For each conversation, the highest message sequence announced at or before a place and not acknowledged
        yet, also when the event itself was trimmed. Empty for a place of another epoch."""
        ...

    async def acknowledge(self, user_id: UserId, up_to: StreamPosition) -> None:
        """Forget what `unacknowledged` gives for this place. Call it once that is safe elsewhere."""
        ...

    async def introduce(self, users: Sequence[UserId], conversation_id: ConversationId) -> None:
        """Make a conversation, durably, the newest activity of users, without an event; nothing happens for those
        who know it already."""
        ...

    async def recent_conversations(
        self, user_id: UserId, before: int | None, limit: int
    ) -> Sequence[ConversationActivity]:
        """Up to `limit` conversations that were introduced or of which the stream ever held an event, newest
        activity first, with activity below `before` where given. Those that the user has left may be among them."""
        ...
