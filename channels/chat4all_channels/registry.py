"""Every channel that there is. A new one is a package and an entry here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from chat4all_channels.account_config import AccountConfig, InstagramConfig, TelegramConfig, WhatsAppConfig
from chat4all_channels.channel import Channel, ChannelAccount
from chat4all_channels.instagram.account import InstagramAccount
from chat4all_channels.instagram.channel import InstagramChannel
from chat4all_channels.telegram.account import TelegramAccount
from chat4all_channels.telegram.channel import TelegramChannel
from chat4all_channels.whatsapp.account import WhatsAppAccount
from chat4all_channels.whatsapp.channel import WhatsAppChannel
from chat4all_core.domain.channel import ChannelName


@dataclass(frozen=True, slots=True)
class Registration:
    """How a channel is made."""

    channel: Channel
    config: type[AccountConfig]
    account: Callable[[Any, aiohttp.ClientSession], ChannelAccount]
    """From an instance of `config`. The session stays the caller's."""


REGISTRY: Mapping[ChannelName, Registration] = {
    registration.channel.capabilities.channel: registration
    for registration in (
        Registration(WhatsAppChannel(), WhatsAppConfig, WhatsAppAccount),
        Registration(InstagramChannel(), InstagramConfig, InstagramAccount),
        Registration(TelegramChannel(), TelegramConfig, TelegramAccount),
    )
}
