"""Numbers, limits and delays of the WhatsApp simulator."""

from dataclasses import dataclass

from tools.simulators.known_customer import KnownCustomer

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class TemplateSettings:
    """An approved template. Parameters of its body are {{1}}, {{2}}, ..."""

    name: str
    language: str
    body: str


@dataclass(frozen=True, slots=True)
class WhatsAppAccountSettings:
    """A business phone number, and the app and business account that it belongs to."""

    phone_number_id: str = "100000000000001"
    display_phone_number: str = "15550000001"
    business_account_id: str = "200000000000001"
    app_id: str = "300000000000001"
    app_secret: str = "whatsapp-development-app-secret"
    access_token: str = "whatsapp-development-token"
    token_lifetime_seconds: float | None = None
    """None: it never expires, as those of system users."""
    verify_token: str = "chat4all-development"
    """What the simulator tells the webhook that it registers by itself."""
    open_to_strangers: bool = False
    """Whether somebody who never wrote counts as having just written, which the real service doesn't do."""
    customers: tuple[KnownCustomer, ...] = (
        KnownCustomer("5511999990001", "Ana"),
        KnownCustomer("5511999990002", "Bruno"),
    )
    templates: tuple[TemplateSettings, ...] = (
        TemplateSettings("hello_world", "en_US", "Hello World"),
        TemplateSettings("new_message", "en_US", "You have a new message: {{1}}"),
    )


@dataclass(frozen=True, slots=True)
class WhatsAppSettings:
    """What holds for every number."""

    accounts: tuple[WhatsAppAccountSettings, ...] = (WhatsAppAccountSettings(),)
    messages_per_second: float = 80.0
    """In and out together, for each number."""
    burst: float = 80.0
    pair_interval_seconds: float = 6.0
    """One message to the same user every so many seconds."""
    pair_burst: float = 45.0
    window_seconds: float = _DAY
    window_by_status: bool = False
    """Whether a message outside the window is accepted and then fails, as it may with the real service, instead of
    being refused at once."""
    sent_seconds: float = 0.0
    """From acceptance to the status."""
    delivered_seconds: float = 0.8
    """From sent to delivered."""
    read_seconds: float | None = None
    """From delivered to read; None when only the customer's hand reads."""
    upload_lifetime_seconds: float = 30 * _DAY
    received_media_lifetime_seconds: float = 7 * _DAY
    media_url_lifetime_seconds: float = 300.0
