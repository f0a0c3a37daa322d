"""What every account of ours has, and how it is read from configuration."""

from dataclasses import dataclass, field

from chat4all_core.setting import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountConfig:
    """Common to all channels."""

    base_url: str = ""
    """Of the channel's API; its own unless set."""
    inbox: tuple[str, ...] = ()
    """Usernames of those who get the conversation that is made when a stranger writes to this account. Without any,
    what strangers write waits as a dead letter."""
    forward: bool = True
    """Whether what people write to this account also goes to the linked addresses of those who get it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatsAppConfig(AccountConfig):
    """A number of the WhatsApp Cloud API."""

    phone_number_id: str
    access_token: Secret
    app_secret: Secret = field(default_factory=Secret)
    """Of the app that webhooks are signed by; without one, webhooks are refused."""
    verify_token: Secret = field(default_factory=Secret)
    """Chosen by us, and given back when Meta asks whether the webhook is ours."""
    template: str = ""
    """Name of an approved template with one parameter in its body, for people who have not written lately."""
    template_language: str = "en"
    template_first: bool = True
    """Whether people who never wrote to this platform get it at once. WhatsApp may take a text to them, and report only
    later that it does not go."""
    messages_per_second: float = 80.0
    """What the number may send."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstagramConfig(AccountConfig):
    """A professional account on Instagram."""

    instagram_id: str
    access_token: Secret
    app_secret: Secret = field(default_factory=Secret)
    verify_token: Secret = field(default_factory=Secret)


@dataclass(frozen=True, slots=True, kw_only=True)
class TelegramConfig(AccountConfig):
    """A bot on Telegram."""

    token: Secret
    secret_token: Secret = field(default_factory=Secret)
    """Given to setWebhook, and given back with every call; without one, webhooks are refused."""
    poll: bool = False
    """Whether updates are asked for, instead of sent to the webhook."""

    @property
    def bot_id(self) -> str:
        """The number before the colon of the token."""
        return self.token.value.partition(":")[0]
