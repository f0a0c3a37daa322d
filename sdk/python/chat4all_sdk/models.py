"""The values that the client gives out. All of them are immutable."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, TypeVar

__all__ = [
    "AttachedFile",
    "Conversation",
    "ConversationType",
    "DeliveryFailure",
    "Identity",
    "IdentityState",
    "Message",
    "MessageState",
    "Page",
    "Participant",
    "Recipient",
    "Role",
    "SentMessage",
    "StateChange",
    "User",
]

T = TypeVar("T")


class MessageState(StrEnum):
    """How far a message has come, for one recipient or for all of them (then it is the lowest)."""

    UNSPECIFIED = "UNSPECIFIED"
    """A state that this release of the client does not know."""
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    READ = "READ"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"
    """A channel was called and never answered; later evidence may settle it."""


class ConversationType(StrEnum):
    """What kind a conversation is."""

    UNSPECIFIED = "UNSPECIFIED"
    DIRECT = "DIRECT"
    GROUP = "GROUP"


class Role(StrEnum):
    """What a participant may do."""

    UNSPECIFIED = "UNSPECIFIED"
    MEMBER = "MEMBER"
    ADMIN = "ADMIN"


@dataclass(frozen=True, slots=True)
class User:
    """An account. `email` is empty but for the caller's own."""

    user_id: str
    username: str
    email: str
    create_time: datetime


class IdentityState(StrEnum):
    """How far linking an address has come."""

    UNSPECIFIED = "UNSPECIFIED"
    CODE_SENT = "CODE_SENT"
    """A code is on its way to the address."""
    LINKED = "LINKED"


@dataclass(frozen=True, slots=True)
class Identity:
    """An address of the caller's on a channel.

    LINKED has a `link_time`; CODE_SENT has a `code_expire_time`, until which the code works.
    """

    channel: str
    address: str
    state: IdentityState
    link_time: datetime | None
    code_expire_time: datetime | None


@dataclass(frozen=True, slots=True)
class Participant:
    """Someone who takes part in a conversation; `participant` is a user id, or an address on a channel."""

    participant: str
    role: Role


@dataclass(frozen=True, slots=True)
class DeliveryFailure:
    """Why a message did not reach a recipient by a channel.

    `code` is the channel's own, or one of the platform's in capitals; `reason` and `remedy` are for people.
    """

    code: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Recipient:
    """What one recipient has of a message on one way.

    `participant` is a user id, or an address on a channel; `channel` is empty within the platform. FAILED has
    a `failure`.
    """

    participant: str
    state: MessageState
    channel: str = ""
    failure: DeliveryFailure | None = None


@dataclass(frozen=True, slots=True)
class StateChange:
    """A moment in the life of a message.

    `participant` is a recipient, or the sender for SENT; `channel` is the one that told it, and empty within
    the platform.
    """

    participant: str
    state: MessageState
    time: datetime
    channel: str = ""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file as a message carries it: as it was when the message was sent.

    `download_url` needs no token and lasts an hour; only messages that were listed or looked up have it.
    """

    file_id: str
    filename: str
    size_bytes: int
    mime_type: str
    sha256: str
    download_url: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation.

    `sequence` counts 1, 2, 3, … with no gap within the conversation. `recipients` and `history` are
    filled by `get_message` only.
    """

    message_id: str
    conversation_id: str
    sequence: int
    sender: str
    text: str
    create_time: datetime
    state: MessageState
    reply_to: str
    metadata: Mapping[str, str]
    recipient_count: int
    delivered_count: int
    read_count: int
    recipients: tuple[Recipient, ...] = ()
    history: tuple[StateChange, ...] = ()
    file: AttachedFile | None = None


@dataclass(frozen=True, slots=True)
class SentMessage:
    """The receipt of a message that is stored durably."""

    message_id: str
    conversation_id: str
    request_id: str
    state: MessageState
    create_time: datetime


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation, as the caller sees it.

    Lists leave `participants` out; only lists have `last_message`.
    """

    conversation_id: str
    type: ConversationType
    title: str
    participants: tuple[Participant, ...]
    create_time: datetime
    version: int
    last_sequence: int
    last_message: Message | None
    unread_count: int


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Part of a list; `next_page_token` is empty on the last page."""

    items: tuple[T, ...]
    next_page_token: str

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)
