"""What a channel tells us."""

from dataclasses import dataclass

from chat4all_core.domain.channel import AccountId, ProviderId
from chat4all_core.domain.delivery import DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.timestamp import Timestamp


class MediaError(Exception):
    """Media can't be fetched."""

    def __init__(self, message: str, *, lasting: bool) -> None:
        super().__init__(message)
        self.lasting = lasting
        """Whether trying again is useless."""


@dataclass(frozen=True, slots=True)
class MediaReference:
    """Media of a message, as the channel names it."""

    reference: str
    """An id or a URL."""
    filename: str
    mime_type: str
    """Empty where the channel does not say."""
    size: int | None
    """In bytes, where the channel says so."""


@dataclass(frozen=True, slots=True)
class Received:
    """A person wrote."""

    account: AccountId
    sender: str
    """The person's address."""
    provider_id: ProviderId
    time: Timestamp
    """By the channel's clock."""
    text: str = ""
    media: tuple[MediaReference, ...] = ()
    reply_to: ProviderId | None = None
    sender_name: str = ""


@dataclass(frozen=True, slots=True)
class Reacted:
    """A person reacted to a message; an empty emoji takes the reaction back."""

    account: AccountId
    sender: str
    provider_id: ProviderId
    """The message reacted to."""
    time: Timestamp
    emoji: str


@dataclass(frozen=True, slots=True)
class Edited:
    """A person changed the text of a message of theirs."""

    account: AccountId
    sender: str
    provider_id: ProviderId
    """The message."""
    time: Timestamp
    text: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """A person took a message of theirs back."""

    account: AccountId
    sender: str
    provider_id: ProviderId
    time: Timestamp


@dataclass(frozen=True, slots=True)
class Reported:
    """How far a message of ours has come."""

    account: AccountId
    recipient: str
    provider_id: ProviderId
    state: DeliveryState
    time: Timestamp
    opaque: str = ""
    """Of the message's envelope, where the channel gives it back."""
    failure: DeliveryFailure | None = None
    covers_earlier: bool = False
    """Whether every earlier message to this person has come as far."""


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Something that this release does not know, for the metrics."""

    account: AccountId
    kind: str


ChannelEvent = Received | Reacted | Edited | Deleted | Reported | Unsupported
