"""Channels: networks beyond the platform on which people are reached, such as WhatsApp.

Words. A channel has *accounts* of ours (a phone number, a page, a bot), and people who have an *address* on it. What
a channel can do is its *capabilities*.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import NewType

from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.ids import ParticipantId, UserId

ChannelName = NewType("ChannelName", str)
"""Of a channel, such as `whatsapp`: letters in lower case."""

CHANNELS = (ChannelName("whatsapp"), ChannelName("instagram"), ChannelName("telegram"))
"""The names of those that there are: what is known of them beyond is in `chat4all_channels.registry`."""

AccountId = NewType("AccountId", str)
"""Of an account of ours, as its channel calls it."""

ProviderId = NewType("ProviderId", str)
"""Of a message, as its channel calls it: unique within an account."""


@dataclass(frozen=True, slots=True, order=True)
class ChannelAddress:
    """Where a person is reached on a channel. Written `whatsapp:+5511987654321`, and so it is a participant's id."""

    channel: ChannelName
    address: str
    """As the channel has it: E.164 on WhatsApp, an IGSID on Instagram, a chat id on Telegram."""

    @property
    def participant(self) -> ParticipantId:
        """The id under which it takes part in conversations."""
        return ParticipantId(f"{self.channel}:{self.address}")


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a channel can do, whichever account is used."""

    channel: ChannelName
    address_pattern: str
    """A regular expression that matches exactly its addresses."""
    address_example: str
    states: frozenset[DeliveryState]
    """Which states it reports beyond SENT."""
    max_text: int
    """Of a message, in `text_unit`. A longer text goes as several messages if `splits_text`, and is refused else."""
    text_unit: str
    """`characters` or `bytes` (of UTF-8)."""
    splits_text: bool
    max_file_bytes: int
    """Of any kind of file. A larger one goes as a link."""
    can_begin: bool
    """Whether one may write to a person who has not written first, if only by a template."""
    window: timedelta | None
    """How long after a person's last message one may write freely; None: for ever."""

    def allows(self, address: str) -> bool:
        """Whether a text is one of its addresses."""
        return re.fullmatch(self.address_pattern, address) is not None

    def standing(self, state: DeliveryState) -> DeliveryState:
        """What a state here counts for in the state of the message as a whole: states that the channel does not have
        do not count, so what is SENT where nothing more is ever reported holds nobody up."""
        if state is DeliveryState.SENT and DeliveryState.DELIVERED not in self.states:
            state = DeliveryState.DELIVERED
        if state is DeliveryState.DELIVERED and DeliveryState.READ not in self.states:
            state = DeliveryState.READ
        return state


def parse_channel_address(text: str, channels: Collection[Capabilities]) -> ChannelAddress | None:
    """The address that a participant's id is, or None when it is not of a channel's form, or of none of these
    channels."""
    name, divider, address = text.partition(":")
    for capabilities in channels:
        if divider and capabilities.channel == name and capabilities.allows(address):
            return ChannelAddress(capabilities.channel, address)
    return None


def channel_address_of(participant: ParticipantId) -> ChannelAddress | None:
    """The address that a known participant is, or None for a user."""
    name, divider, address = participant.partition(":")
    return ChannelAddress(ChannelName(name), address) if divider else None


def users_among(participants: Iterable[ParticipantId]) -> list[UserId]:
    """Those who have an account here, and so a stream and a cursor: people on channels have none."""
    return [UserId(participant) for participant in participants if is_user(participant)]


def is_user(participant: ParticipantId) -> bool:
    """Whether a participant is a user, not an address."""
    return ":" not in participant
