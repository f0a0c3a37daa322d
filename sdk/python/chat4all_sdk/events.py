"""What a subscription yields. Each event carries the cursor from which a later one can go on."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from chat4all_sdk.models import DeliveryFailure, Message, MessageState

__all__ = [
    "CaughtUp",
    "ConversationChanged",
    "Event",
    "MessageCreated",
    "Reset",
    "ResetReason",
    "StatusChanged",
]


@dataclass(frozen=True, slots=True)
class MessageCreated:
    """A message was stored; senders get their own too."""

    cursor: str
    event_id: str
    time: datetime
    message: Message


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """Messages have come further for one recipient.

    Without a `channel`, every message of the conversation up to `sequence` that was sent to `participant` has
    at least `state` now; `message_id` is the one at `sequence`. With one, only that message has come as far,
    by that channel. FAILED has a `failure`.
    """

    cursor: str
    event_id: str
    time: datetime
    message_id: str
    conversation_id: str
    sequence: int
    participant: str
    state: MessageState
    channel: str = ""
    failure: DeliveryFailure | None = None


@dataclass(frozen=True, slots=True)
class ConversationChanged:
    """A conversation was made (version 1), or its participants changed."""

    cursor: str
    event_id: str
    time: datetime
    conversation_id: str
    version: int


class ResetReason(StrEnum):
    """Why a subscription had to start anew."""

    UNSPECIFIED = "UNSPECIFIED"
    CURSOR_TOO_OLD = "CURSOR_TOO_OLD"
    EPOCH_CHANGED = "EPOCH_CHANGED"


@dataclass(frozen=True, slots=True)
class Reset:
    """Events were missed and can't be given: load the conversations again. What follows is new."""

    cursor: str
    reason: ResetReason


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """Everything that happened before the subscription began has been given.

    Comes once, and once more after each Reset; a connection that was made anew does not repeat it.
    """

    cursor: str


Event: TypeAlias = MessageCreated | StatusChanged | ConversationChanged | Reset | CaughtUp
