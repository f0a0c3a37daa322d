"""Which delivery a message of a channel is, for what the channel reports later."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chat4all_core.domain.channel import AccountId, ChannelName, ProviderId
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId


@dataclass(frozen=True, slots=True)
class ProviderMessage:
    """A message as its channel names it."""

    channel: ChannelName
    account: AccountId
    provider_id: ProviderId


@dataclass(frozen=True, slots=True)
class DeliveryReference:
    """A message of the platform on one of its ways; for one that came in, `recipient` is its sender."""

    conversation_id: ConversationId
    message_id: MessageId
    sequence: int
    """0 where it is not known: of a message that came in."""
    recipient: ParticipantId
    attempt: int = 1
    is_last: bool = True
    """Whether it is the last part of a text that was split: it alone shows that all of it has come."""


class ProviderMessages(Protocol):
    """A report may come before the answer that tells the message's id: it is parked here until then, as the value of
    topic chat4all.channel.received.v1 that it came as, and goes there again. Entries are kept for at least 30
    days."""

    async def put(self, message: ProviderMessage, reference: DeliveryReference) -> Sequence[bytes]:
        """Remember, durably, and give the reports that were parked. Calling again changes nothing and gives them
        again, until `forget_parked`.

        Raises:
            UnavailableError.
        """
        ...

    async def find(self, message: ProviderMessage) -> DeliveryReference | None:
        """Which delivery it is, or None when that is not known (yet).

        Raises:
            UnavailableError.
        """
        ...

    async def park(self, message: ProviderMessage, report: bytes) -> DeliveryReference | None:
        """Keep a report for `put`. Returns the reference where it has come meanwhile: then nobody else sees to the
        report. The same report again changes nothing.

        Raises:
            UnavailableError.
        """
        ...

    async def forget_parked(self, message: ProviderMessage) -> None:
        """Drop what was parked, once it is safe elsewhere.

        Raises:
            UnavailableError.
        """
        ...
