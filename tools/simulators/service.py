"""What the control API needs from each simulated service."""

from typing import Protocol

from aiohttp import web

from .channel import Channel
from .customer_actions import CustomerActions
from .json_value import JsonObject
from .webhooks.delivery import Delivery


class Service(Protocol):
    """A simulated service."""

    @property
    def channel(self) -> Channel:
        """Which one."""
        ...

    @property
    def customers(self) -> CustomerActions:
        """Its customers' hands."""
        ...

    def application(self) -> web.Application:
        """Its API, to be mounted below its channel's name."""
        ...

    def accounts(self) -> list[JsonObject]:
        """Its accounts as the control API shows them; each has an id."""
        ...

    async def run(self) -> None:
        """Send webhooks, until cancelled."""
        ...

    async def register_webhook(self, account: str, url: str, token: str | None) -> None:
        """Make a URL the account's webhook, with another verify token or secret than the settings say.

        Raises:
            WebhookRefusedError: it doesn't prove that it expects events.
            UnknownTargetError: there is no such account.
        """
        ...

    def redeliver(self, delivery: Delivery) -> None:
        """Send the very bytes of a request again to the webhook of its account."""
        ...

    def set_token(self, account: str, token: str | None, lifetime: float | None) -> None:
        """Give the account another access token, or let the one that it has end in so many seconds."""
        ...


class WebhookRefusedError(Exception):
    """A webhook didn't answer as it must."""
