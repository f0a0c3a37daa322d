"""Bots and limits of the Telegram simulator."""

from dataclasses import dataclass

from tools.simulators.known_customer import KnownCustomer

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class TelegramBotSettings:
    """A bot."""

    token: str = "100000001:telegram-development-token"
    username: str = "chat4all_development_bot"
    first_name: str = "Chat4All"
    secret_token: str = "telegram-development-secret"
    """What the webhook that the simulator registers by itself gets in its header."""
    open_to_strangers: bool = False
    """Whether somebody who never wrote counts as having just written, which the real service doesn't do."""
    customers: tuple[KnownCustomer, ...] = (KnownCustomer("710000001", "Ana"), KnownCustomer("710000002", "Bruno"))


@dataclass(frozen=True, slots=True)
class TelegramSettings:
    """What holds for every bot."""

    bots: tuple[TelegramBotSettings, ...] = (TelegramBotSettings(),)
    messages_per_second: float = 30.0
    chat_messages_per_second: float = 1.0
    chat_burst: float = 3.0
    """The real service tolerates short bursts in a chat; how short it doesn't say."""
    group_messages_per_minute: float = 20.0
    https_only: bool = False
    """Whether webhooks need https and one of the ports 80, 88, 443 and 8443, as with the public service; a local Bot
    API server needs neither."""
    update_lifetime_seconds: float = _DAY
    download_limit_bytes: int = 20 << 20
    upload_limit_bytes: int = 50 << 20
    url_upload_limit_bytes: int = 20 << 20
