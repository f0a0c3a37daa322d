"""What the conformance suite knows of the channel that it runs against."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tools.simulators import Channel as SimulatedChannel

from chat4all_channels.account_config import AccountConfig, InstagramConfig, TelegramConfig, WhatsAppConfig
from chat4all_core.domain.channel import ChannelName
from chat4all_core.setting import Secret


@dataclass(frozen=True, slots=True)
class ChannelUnderTest:
    """A channel with the simulator's development account on it."""

    name: ChannelName
    simulated: SimulatedChannel
    account: str
    """As the simulator calls it."""
    person: str
    """The address of somebody who has just written."""
    customer: str
    """The same person, as the simulator calls them."""
    stranger: str
    """The address of somebody who never wrote."""
    config: Callable[[str], AccountConfig]
    """The account, with its API at the simulators' URL."""
    without_token: Callable[[str], AccountConfig]
    """The same with a token that is wrong."""
    says_when: bool
    """Whether a limit comes with the time after which to try again."""


def _whatsapp(url: str, token: str = "whatsapp-development-token") -> WhatsAppConfig:
    return WhatsAppConfig(
        base_url=f"{url}/whatsapp/v23.0",
        phone_number_id="100000000000001",
        access_token=Secret(token),
        app_secret=Secret("whatsapp-development-app-secret"),
        verify_token=Secret("chat4all-development"),
        template="new_message",
        template_language="en_US",
    )


def _instagram(url: str, token: str = "instagram-development-token") -> InstagramConfig:
    return InstagramConfig(
        base_url=f"{url}/instagram/v25.0",
        instagram_id="17841400000000001",
        access_token=Secret(token),
        app_secret=Secret("instagram-development-app-secret"),
        verify_token=Secret("chat4all-development"),
    )


def _telegram(url: str, token: str = "telegram-development-token") -> TelegramConfig:
    return TelegramConfig(
        base_url=f"{url}/telegram",
        token=Secret(f"100000001:{token}"),
        secret_token=Secret("telegram-development-secret"),
    )


CHANNELS: Mapping[str, ChannelUnderTest] = {
    "whatsapp": ChannelUnderTest(
        ChannelName("whatsapp"),
        SimulatedChannel.WHATSAPP,
        "100000000000001",
        "+5511999990001",
        "5511999990001",
        "+5511999998888",
        _whatsapp,
        lambda url: _whatsapp(url, "wrong"),
        says_when=True,
    ),
    "instagram": ChannelUnderTest(
        ChannelName("instagram"),
        SimulatedChannel.INSTAGRAM,
        "17841400000000001",
        "6100000000000001",
        "6100000000000001",
        "6100000000009999",
        _instagram,
        lambda url: _instagram(url, "wrong"),
        says_when=False,
    ),
    "telegram": ChannelUnderTest(
        ChannelName("telegram"),
        SimulatedChannel.TELEGRAM,
        "100000001",
        "710000001",
        "710000001",
        "799999999",
        _telegram,
        lambda url: _telegram(url, "wrong"),
        says_when=True,
    ),
}
