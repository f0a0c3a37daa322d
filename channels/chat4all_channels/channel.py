"""What a channel is: a small required part, and abilities that it may have beside.

A channel is a package with a class that implements `ChannelAccount`, one object for each account of ours. Whoever uses
it asks with `isinstance` for the abilities (`SendsFiles`, `SendsTemplates`, `MarksRead`, `ReceivesWebhooks`,
`RenewsToken`, `FetchesMedia`, `Polls`). It translates between the platform and the network and decides nothing else:
limits, retries, order and what was sent already are for those who call it.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from chat4all_channels.event import ChannelEvent, MediaReference
from chat4all_channels.outcome import Outcome
from chat4all_core.domain.channel import AccountId, Capabilities, ProviderId
from chat4all_core.domain.file import Attachment
from chat4all_core.ports.rate_limiter import RateLimit
from chat4all_core.setting import Secret


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every message to a person has."""

    to: str
    """The person's address."""
    opaque: str = ""
    """Given back with every report on the message where the channel can do so; at most 512 characters of ASCII."""
    reply_to: ProviderId | None = None
    """The message of this account that it answers."""


@dataclass(frozen=True, slots=True)
class OutgoingFile:
    """A file, by its bytes or by a link: a channel takes what it can."""

    file: Attachment
    caption: str
    link: str
    """Where the channel may download it, without a token."""
    content: Callable[[], AsyncIterator[bytes]]
    """Its bytes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How often an account may tell the channel something."""

    account: RateLimit
    """Of all its messages."""
    recipient: RateLimit
    """Of those to one person."""


class ChannelAccount(Protocol):
    """One account of ours on a channel. Calls may run at the same time."""

    capabilities: Capabilities
    account_id: AccountId
    limits: Limits

    async def send_text(self, envelope: Envelope, text: str) -> Outcome:
        """Tell the channel once, without a retry. It never raises for what the channel or the network does: that is
        an outcome. The text is within `capabilities.max_text`."""
        ...


@runtime_checkable
class SendsFiles(Protocol):
    """A channel that takes files."""

    def takes(self, file: Attachment) -> bool:
        """Whether its kind and size can be sent as a file; anything else goes as text with a link."""
        ...

    def max_caption(self, file: Attachment) -> int:
        """How many characters of text may go with it; a longer text goes before it, as a message of its own."""
        ...

    async def send_file(self, envelope: Envelope, file: OutgoingFile) -> Outcome:
        """As `send_text`."""
        ...


@runtime_checkable
class SendsTemplates(Protocol):
    """A channel on which a person who has not written lately is only reached by an agreed template."""

    has_template: bool
    """Whether one is configured for this account."""
    template_first: bool
    """Whether people who never wrote to us get it at once; else the text is tried, and it goes if that is refused."""

    async def send_template(self, envelope: Envelope, text: str) -> Outcome:
        """As `send_text`, with the text as the template's one parameter."""
        ...


@runtime_checkable
class MarksRead(Protocol):
    """A channel that shows people that their message was read."""

    async def mark_read(self, message: ProviderId, sender: str) -> Outcome:
        """Mark a person's message, and those before it, as read."""
        ...


class WebhookError(Exception):
    """A call to a webhook that the channel did not make, or that is not in its form."""


class PollError(Exception):
    """A channel gave nothing."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        """Seconds."""


@runtime_checkable
class ReceivesWebhooks(Protocol):
    """A channel that calls us. These are pure functions of the account's secrets."""

    def verify(self, query: Mapping[str, str]) -> str | None:
        """What to answer when the channel asks whether the webhook is ours (a GET); None: it did not ask this
        account."""
        ...

    def authentic(self, headers: Mapping[str, str], body: bytes) -> bool:
        """Whether the channel sent these bytes for this account, decided in constant time. Header names are in lower
        case."""
        ...


class TokenError(Exception):
    """A token is not renewed. The text says why."""


@dataclass(frozen=True, slots=True)
class RenewedToken:
    """To be used from now on."""

    token: Secret
    replaces: Secret
    seconds: float
    """For which it is good."""


@runtime_checkable
class RenewsToken(Protocol):
    """A channel whose tokens end unless they are renewed in time."""

    async def renew_token(self) -> RenewedToken:
        """Exchange the account's token for one that is good for longer.

        Raises:
            TokenError: the channel does not do it.
        """
        ...


@runtime_checkable
class FetchesMedia(Protocol):
    """A channel whose messages name media that have to be fetched."""

    def fetch_media(self, media: MediaReference) -> AsyncGenerator[bytes, None]:
        """The bytes, in chunks.

        Raises:
            MediaError: it can't be had; whether it may be later is told.
        """
        ...


@runtime_checkable
class Polls(Protocol):
    """A channel that can be asked for what has come, where it can't call us."""

    is_polled: bool
    """Whether the account is set up so."""

    async def poll(self, cursor: str, timeout: float) -> tuple[Sequence["Piece"], str]:
        """What came after a cursor (at first empty), and the next one: passing that tells the channel that all of it
        is safe. Waits up to `timeout` seconds.

        Raises:
            PollError: the channel can't be asked now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of what a channel sent that concerns one person, still in the channel's form."""

    account: AccountId
    key: str
    """Pieces with the same key keep their order: the person's address."""
    body: bytes


class Channel(Protocol):
    """A channel as a whole: what does not depend on an account."""

    capabilities: Capabilities

    def split(self, body: bytes, accounts: Collection[AccountId]) -> Sequence[Piece]:
        """The pieces of a webhook's body that concern these accounts, for which it is authentic.

        Raises:
            WebhookError: it is not in the channel's form.
        """
        ...

    def parse(self, account: AccountId, piece: bytes) -> Sequence[ChannelEvent]:
        """What a piece tells. What this release does not know is `Unsupported`, never an error.

        Raises:
            WebhookError: it is not in the channel's form.
        """
        ...
