"""Channels as tests configure them: what they can do, without an account."""

from chat4all_channels.registry import REGISTRY
from chat4all_core.domain.channel import ChannelAddress, ChannelName

CHANNELS = tuple(registration.channel.capabilities for registration in REGISTRY.values())


def whatsapp(number: str) -> ChannelAddress:
    """An address on WhatsApp."""
    return ChannelAddress(ChannelName("whatsapp"), number)
