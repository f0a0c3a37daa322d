"""Instagram Messaging: /vN.N/... below the base URL."""

import asyncio

from aiohttp import web
from tools.simulators.channel import Channel
from tools.simulators.context import Context
from tools.simulators.customer_actions import UnknownTargetError
from tools.simulators.graph.access_token import AccessToken
from tools.simulators.graph.error import GraphError
from tools.simulators.graph.handshake import verify_webhook
from tools.simulators.graph.middleware import answering_errors
from tools.simulators.json_value import JsonObject
from tools.simulators.service import WebhookRefusedError
from tools.simulators.webhooks.delivery import Delivery

from .account import InstagramAccount
from .customers import InstagramCustomers
from .nodes import Nodes
from .settings import InstagramSettings


class InstagramService:
    """Every account, behind one API."""

    def __init__(self, settings: InstagramSettings, context: Context) -> None:
        self._context = context
        self._accounts = {each.instagram_id: InstagramAccount(each, settings, context) for each in settings.accounts}
        self.customers = InstagramCustomers(self._known)

    @property
    def channel(self) -> Channel:
        """Which service it is."""
        return Channel.INSTAGRAM

    def application(self) -> web.Application:
        """The API."""
        application = web.Application(middlewares=[answering_errors(self.channel, self._context.refusals)])
        Nodes(self._accounts, self._context).add_to(application)
        return application

    def accounts(self) -> list[JsonObject]:
        """The accounts as the control API shows them."""
        return [
            {
                "channel": self.channel,
                "id": account.id,
                "name": f"@{account.settings.username}",
                "access_token": account.token.value,
                "token_expires_at": account.token.expires_at,
                "app_secret": account.settings.app_secret,
                "verify_token": account.settings.verify_token,
                "app_id": account.settings.app_id,
                "webhook_url": account.webhook.url,
                "webhook_events_waiting": account.webhook.waiting,
                "customers": [{"id": each.id, "name": each.name} for each in account.settings.customers],
            }
            for account in self._accounts.values()
        ]

    async def run(self) -> None:
        """Send webhooks, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for account in self._accounts.values():
                group.create_task(account.webhook.run())

    async def register_webhook(self, account: str, url: str, token: str | None) -> None:
        """Verify a URL and send the account's events to it."""
        own = self._known(account)
        try:
            await verify_webhook(self._context.session, url, token or own.settings.verify_token)
        except GraphError as error:
            raise WebhookRefusedError(error.message) from None
        own.webhook.url = url

    def redeliver(self, delivery: Delivery) -> None:
        """Send the very bytes of a request again."""
        self._accounts[delivery.account].webhook.redeliver(delivery)

    def set_token(self, account: str, token: str | None, lifetime: float | None) -> None:
        """Make a token the account's only one, or let the one that it has end."""
        own = self._known(account)
        now = self._context.now()
        seconds = own.settings.token_lifetime_seconds if lifetime is None else lifetime
        own.revoke_tokens(AccessToken(token or own.token.value, now, now + seconds))

    def _known(self, account: str) -> InstagramAccount:
        if account not in self._accounts:
            raise UnknownTargetError(f"Instagram has no account {account}")
        return self._accounts[account]
