"""The WhatsApp Cloud API: /vN.N/... below the base URL."""

import asyncio
import hmac

from aiohttp import web
from tools.simulators.channel import Channel
from tools.simulators.context import Context
from tools.simulators.customer_actions import UnknownTargetError
from tools.simulators.graph.access_token import AccessToken, expired_token, unknown_token
from tools.simulators.graph.error import GraphError
from tools.simulators.graph.handshake import verify_webhook
from tools.simulators.graph.middleware import answering_errors
from tools.simulators.json_value import JsonObject
from tools.simulators.service import WebhookRefusedError
from tools.simulators.webhooks.delivery import Delivery

from .account import WhatsAppAccount
from .callback_urls import CallbackUrls
from .customers import WhatsAppCustomers
from .nodes import Nodes
from .sending import Sending
from .settings import WhatsAppSettings
from .status_ladder import StatusLadder


class WhatsAppService:
    """Every number, behind one API."""

    def __init__(self, settings: WhatsAppSettings, context: Context) -> None:
        self._context = context
        self._accounts = {each.phone_number_id: WhatsAppAccount(each, settings, context) for each in settings.accounts}
        self._ladders = {key: StatusLadder(account) for key, account in self._accounts.items()}
        self.customers = WhatsAppCustomers(self._known)

    @property
    def channel(self) -> Channel:
        """Which service it is."""
        return Channel.WHATSAPP

    def application(self) -> web.Application:
        """The API."""
        application = web.Application(middlewares=[answering_errors(self.channel, self._context.refusals)])
        sendings = {key: Sending(account, self._ladders[key]) for key, account in self._accounts.items()}
        Nodes(self._accounts, sendings, self.account_of_token, self._context.session).add_to(application)
        return application

    def account_of_token(self, token: str) -> WhatsAppAccount:
        """The number whose token it is.

        Raises:
            GraphError: 190, nobody's, or expired.
        """
        now = self._context.now()
        for account in self._accounts.values():
            if hmac.compare_digest(account.token.value.encode(), token.encode()):
                if account.token.is_expired(now):
                    raise expired_token(account.token.expires_at or now, now)
                return account
        raise unknown_token()

    def accounts(self) -> list[JsonObject]:
        """The numbers as the control API shows them."""
        return [
            {
                "channel": self.channel,
                "id": account.id,
                "name": f"+{account.settings.display_phone_number}",
                "access_token": account.token.value,
                "token_expires_at": account.token.expires_at,
                "app_secret": account.settings.app_secret,
                "verify_token": account.settings.verify_token,
                "business_account_id": account.settings.business_account_id,
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
        """Verify a URL and send the number's events to it."""
        number, _ = self._known(account)
        try:
            await verify_webhook(self._context.session, url, token or number.settings.verify_token)
        except GraphError as error:
            raise WebhookRefusedError(error.message) from None
        number.callbacks = CallbackUrls(app=url)

    def redeliver(self, delivery: Delivery) -> None:
        """Send the very bytes of a request again."""
        self._accounts[delivery.account].webhook.redeliver(delivery)

    def set_token(self, account: str, token: str | None, lifetime: float | None) -> None:
        """Give the number another token, or let the one that it has end."""
        number, _ = self._known(account)
        now = self._context.now()
        number.token = AccessToken(token or number.token.value, now, None if lifetime is None else now + lifetime)

    def _known(self, account: str) -> tuple[WhatsAppAccount, StatusLadder]:
        if account not in self._accounts:
            raise UnknownTargetError(f"WhatsApp has no number {account}")
        return self._accounts[account], self._ladders[account]
