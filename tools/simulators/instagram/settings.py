"""Accounts, limits and delays of the Instagram simulator."""

from dataclasses import dataclass

from tools.simulators.known_customer import KnownCustomer

_DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class InstagramAccountSettings:
    """A professional account, and the app that it uses."""

    instagram_id: str = "17841400000000001"
    username: str = "chat4all"
    app_id: str = "300000000000002"
    app_secret: str = "instagram-development-app-secret"
    access_token: str = "instagram-development-token"
    token_lifetime_seconds: float = 60 * _DAY
    verify_token: str = "chat4all-development"
    """What the simulator tells the webhook that it registers by itself."""
    open_to_strangers: bool = False
    """Whether somebody who never wrote counts as having just written, which the real service doesn't do."""
    customers: tuple[KnownCustomer, ...] = (
        KnownCustomer("6100000000000001", "ana.souza"),
        KnownCustomer("6100000000000002", "bruno.lima"),
    )


@dataclass(frozen=True, slots=True)
class InstagramSettings:
    """What holds for every account."""

    accounts: tuple[InstagramAccountSettings, ...] = (InstagramAccountSettings(),)
    text_calls_per_second: float = 300.0
    media_calls_per_second: float = 10.0
    """Audio and video."""
    window_seconds: float = _DAY
    agent_window_seconds: float = 7 * _DAY
    """The window with the tag HUMAN_AGENT."""
    read_seconds: float | None = None
    """From acceptance to read; None when only the customer's hand reads."""
    refresh_after_seconds: float = _DAY
    """How old a token must be to be refreshed."""
    media_lifetime_seconds: float = 7 * _DAY
