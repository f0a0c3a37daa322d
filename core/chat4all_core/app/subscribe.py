"""Use case: follow one's stream of events."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from enum import IntEnum

from chat4all_core.app.drain_signal import DrainSignal
from chat4all_core.app.require_conversation import require_conversation
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.user_stream import PositionLostError, StreamEvent, UserStream, Watch

_PAGE = 200
"""Events read at once: all that a subscriber who is behind holds in memory."""


class GoingAwayReason(IntEnum):
    """Why a subscription ends. Values are those of the contract."""

    DRAINING = 1
    TOKEN_EXPIRED = 2
    SLOW_READER = 3
    INTERNAL = 4
    NOT_A_PARTICIPANT = 5


@dataclass(frozen=True, slots=True)
class EventFrame:
    """Something happened."""

    position: StreamPosition
    payload: bytes
    """The event, encoded for clients."""


@dataclass(frozen=True, slots=True)
class HeartbeatFrame:
    """Nothing happened for a while."""

    position: StreamPosition


@dataclass(frozen=True, slots=True)
class CaughtUpFrame:
    """Everything from before the subscription has been given."""

    position: StreamPosition


@dataclass(frozen=True, slots=True)
class ResetFrame:
    """The position asked for can't be resumed; the subscription goes on from this one, the present."""

    position: StreamPosition
    epoch_changed: bool


@dataclass(frozen=True, slots=True)
class GoingAwayFrame:
    """The last frame."""

    position: StreamPosition
    reason: GoingAwayReason


Frame = EventFrame | HeartbeatFrame | CaughtUpFrame | ResetFrame | GoingAwayFrame


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a subscriber asks for."""

    caller: UserId
    after: StreamPosition | None
    """None: from now on."""
    conversation_id: str
    """Only events of this conversation; empty: of all."""
    expires_at: Timestamp
    """When the caller's token expires, and the subscription with it."""


class Subscribe:
    """Gives a user every event of their stream, in order and without a gap, or says that it can't."""

    def __init__(
        self,
        *,
        streams: UserStream,
        conversations: ConversationStore,
        clock: Clock,
        drain: DrainSignal,
        heartbeat_seconds: float,
    ) -> None:
        self._streams = streams
        self._conversations = conversations
        self._clock = clock
        self._drain = drain
        self._heartbeat_seconds = heartbeat_seconds

    async def __call__(self, subscription: Subscription) -> AsyncGenerator[Frame, None]:
        """The frames, until the subscriber closes the iterator or a GoingAwayFrame was given.

        Raises:
            NotFoundError: CONVERSATION_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT.
        """
        caller, only = subscription.caller, subscription.conversation_id
        if only:
            await require_conversation(self._conversations, only, caller)
        async with self._streams.watch(caller) as watch:
            with self._drain.heard_by(watch.wake):
                head = await self._streams.head(caller)
                position = head if subscription.after is None else subscription.after
                try:
                    # Events from before, page by page; the watch hears of those that come meanwhile.
                    while events := await self._streams.read(caller, position, _PAGE):
                        for event in events:
                            position = event.position
                            if not only or event.conversation_id == only:
                                yield EventFrame(position, event.payload)
                        if reason := await self._reason_to_end(subscription):
                            yield GoingAwayFrame(position, reason)
                            return
                except PositionLostError as lost:
                    position = await self._streams.head(caller)
                    yield ResetFrame(position, lost.epoch_changed)
                yield CaughtUpFrame(position)
                async for frame in self._live(subscription, watch, position):
                    yield frame

    async def _live(
        self, subscription: Subscription, watch: Watch, position: StreamPosition
    ) -> AsyncGenerator[Frame, None]:
        only = subscription.conversation_id
        abreast = True  # whether the watch has told of everything after the position, or will
        silence = _Silence(self._heartbeat_seconds)
        while True:
            if reason := await self._reason_to_end(subscription):
                yield GoingAwayFrame(position, reason)
                return
            events: Sequence[StreamEvent] = []
            if abreast:
                events = await watch.next(self._patience(subscription, silence.left))
            if not _follows(position, events):
                # What the watch gave is beyond a gap, so it is read again, page by page, until nothing is left.
                try:
                    events = await self._streams.read(subscription.caller, position, _PAGE)
                except PositionLostError as lost:
                    yield GoingAwayFrame(position, _why_lost(lost))
                    return
                abreast = len(events) < _PAGE
            for event in events:
                if event.position.offset <= position.offset:
                    continue  # it was read from the stream before the watch gave it
                position = event.position
                if not only or event.conversation_id == only:
                    yield EventFrame(position, event.payload)
                    silence.end()
            # Also when there were events, but only of other conversations than the one asked for.
            if not events or not silence.left:
                yield HeartbeatFrame(position)
                silence.end()

    async def _reason_to_end(self, subscription: Subscription) -> GoingAwayReason | None:
        if self._drain.is_set:
            return GoingAwayReason.DRAINING
        if self._clock() >= subscription.expires_at:
            return GoingAwayReason.TOKEN_EXPIRED
        if subscription.conversation_id:
            conversation = await self._conversations.get(ConversationId(subscription.conversation_id))
            if conversation is None or conversation.participation_of(subscription.caller) is None:
                return GoingAwayReason.NOT_A_PARTICIPANT
        return None

    def _patience(self, subscription: Subscription, silence_left: float) -> float:
        left = (subscription.expires_at - self._clock()) / SECOND
        return max(0.0, min(silence_left, left))


class _Silence:
    """How much longer a subscriber may hear nothing."""

    def __init__(self, longest_seconds: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._longest_seconds = longest_seconds
        self.end()

    def end(self) -> None:
        """The subscriber was given a frame."""
        self._until = self._loop.time() + self._longest_seconds

    @property
    def left(self) -> float:
        """Seconds."""
        return max(0.0, self._until - self._loop.time())


def _follows(position: StreamPosition, events: Sequence[StreamEvent]) -> bool:
    """Whether events reach from a position on without a gap."""
    return (
        len(events) > 0
        and events[0].position.epoch == position.epoch
        and events[0].position.offset <= position.offset + 1
    )


def _why_lost(lost: PositionLostError) -> GoingAwayReason:
    # Of another epoch: the engine was replaced under the subscription. Otherwise events were trimmed before
    # they were given: the subscriber reads too slowly. Either way its cursor leads to a RESET.
    return GoingAwayReason.INTERNAL if lost.epoch_changed else GoingAwayReason.SLOW_READER
