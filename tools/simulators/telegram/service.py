"""The Telegram Bot API: /bot<token>/<method> and /file/bot<token>/<path> below the base URL."""

import asyncio
import logging

from aiohttp import web
from tools.simulators.channel import Channel
from tools.simulators.context import Context
from tools.simulators.customer_actions import UnknownTargetError
from tools.simulators.json_value import JsonObject
from tools.simulators.middleware import refusing
from tools.simulators.service import WebhookRefusedError
from tools.simulators.webhooks.delivery import Delivery

from .bot import Bot
from .customers import TelegramCustomers
from .errors import TelegramError
from .methods import Methods
from .parameters import Parameters, parameters_of
from .settings import TelegramSettings

_LOG = logging.getLogger(__name__)


class TelegramService:
    """Every bot, behind one API."""

    def __init__(self, settings: TelegramSettings, context: Context) -> None:
        self._context = context
        bots = [Bot(each, settings, context) for each in settings.bots]
        self._methods = {bot.id: Methods(bot) for bot in bots}
        self.customers = TelegramCustomers(lambda account: self._known(account).bot)

    @property
    def channel(self) -> Channel:
        """Which service it is."""
        return Channel.TELEGRAM

    def application(self) -> web.Application:
        """The API."""
        application = web.Application(middlewares=[refusing(self.channel, self._context.refusals, _refusal)])
        application.router.add_route("*", "/bot{token}/{method}", self._call)
        application.router.add_get("/file/bot{token}/{path:.+}", self._download)
        return application

    def accounts(self) -> list[JsonObject]:
        """The bots as the control API shows them."""
        return [
            {
                "channel": self.channel,
                "id": methods.bot.id,
                "name": f"@{methods.bot.settings.username}",
                "access_token": methods.bot.token,
                "token_expires_at": methods.bot.expires_at,
                "secret_token": methods.bot.settings.secret_token,
                "webhook_url": methods.webhook.setting.url or None,
                "webhook_events_waiting": len(methods.bot.updates),
                "customers": [{"id": each.id, "name": each.name} for each in methods.bot.settings.customers],
            }
            for methods in self._methods.values()
        ]

    async def run(self) -> None:
        """Push updates, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for methods in self._methods.values():
                group.create_task(methods.webhook.run())

    async def register_webhook(self, account: str, url: str, token: str | None) -> None:
        """What the bot's own setWebhook does. Telegram asks the webhook nothing."""
        methods = self._known(account)
        secret = methods.bot.settings.secret_token if token is None else token
        try:
            await methods.set_webhook(Parameters({"url": url, "secret_token": secret}))
        except TelegramError as error:
            raise WebhookRefusedError(error.description) from None

    def redeliver(self, delivery: Delivery) -> None:
        """Send the very bytes of a request again."""
        self._methods[delivery.account].webhook.redeliver(delivery)

    def set_token(self, account: str, token: str | None, lifetime: float | None) -> None:
        """Give the bot another token (its number stays), or let the one that it has end."""
        bot = self._known(account).bot
        bot.token = token or bot.token
        bot.expires_at = None if lifetime is None else self._context.now() + lifetime

    async def _call(self, request: web.Request) -> web.Response:
        methods = self._of_token(request)
        result = await methods.call(request.match_info["method"], await parameters_of(request))
        return web.json_response({"ok": True, "result": result})

    async def _download(self, request: web.Request) -> web.Response:
        bot = self._of_token(request).bot
        file_id = request.match_info["path"].rpartition("/")[2].partition(".")[0]
        stored = self._context.media.get(file_id)
        if stored is None or stored.owner != bot.id:
            raise TelegramError(404, "Not Found")
        return web.Response(body=stored.content, content_type="application/octet-stream")

    def _of_token(self, request: web.Request) -> Methods:
        token = request.match_info["token"]
        if ":" not in token:
            raise TelegramError(404, "Not Found")
        for methods in self._methods.values():
            if methods.bot.takes(token):
                return methods
        raise TelegramError(401, "Unauthorized")

    def _known(self, account: str) -> Methods:
        if account not in self._methods:
            raise UnknownTargetError(f"Telegram has no bot {account}")
        return self._methods[account]


def _refusal(request: web.Request, error: Exception) -> TelegramError:
    match error:
        case TelegramError():
            return error
        case web.HTTPRequestEntityTooLarge():
            return TelegramError(413, "Request Entity Too Large")
        case web.HTTPException():
            return TelegramError(error.status, error.reason)
    _LOG.error("%s %s", request.method, request.path, exc_info=error)
    return TelegramError(500, "Internal Server Error")
