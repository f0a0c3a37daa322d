"""SetWebhook, deleteWebhook and getWebhookInfo of one bot."""

import re

from tools.simulators.json_value import JsonObject
from yarl import URL

from .bot import Bot
from .errors import bad_request
from .parameters import Parameters
from .webhook import Webhook, WebhookSetting

_PORTS = (80, 88, 443, 8443)
_SECRET = re.compile(r"[A-Za-z0-9_-]{0,256}")
_CONNECTIONS = 40


class WebhookMethods:
    """The methods."""

    def __init__(self, bot: Bot, webhook: Webhook) -> None:
        self._bot = bot
        self._webhook = webhook

    async def set(self, parameters: Parameters) -> bool:
        """SetWebhook."""
        url = parameters.text("url")
        if url:
            self._check(url)
        secret = parameters.text("secret_token")
        if not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        connections = parameters.number("max_connections") or _CONNECTIONS
        if not 1 <= connections <= 100:
            raise bad_request("max_connections must be between 1 and 100")
        allowed = parameters.object("allowed_updates")
        if isinstance(allowed, list):
            self._bot.updates.allowed = [str(each) for each in allowed]
        self._drop(parameters)
        self._webhook.set(WebhookSetting(url, secret, connections))
        return True

    async def delete(self, parameters: Parameters) -> bool:
        """DeleteWebhook."""
        self._drop(parameters)
        self._webhook.set(WebhookSetting())
        return True

    async def info(self, _: Parameters) -> JsonObject:
        """GetWebhookInfo."""
        setting = self._webhook.setting
        info: JsonObject = {
            "url": setting.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._bot.updates),
        }
        if setting.url:
            info["max_connections"] = setting.max_connections
        if self._bot.updates.allowed:
            info["allowed_updates"] = list(self._bot.updates.allowed)
        if self._webhook.last_error is not None:
            at, message = self._webhook.last_error
            info |= {"last_error_date": int(at), "last_error_message": message}
        return info

    def _drop(self, parameters: Parameters) -> None:
        if parameters.flag("drop_pending_updates"):
            self._bot.updates.clear()

    def _check(self, text: str) -> None:
        try:
            url = URL(text)
        except ValueError:
            raise bad_request("bad webhook: invalid URL") from None
        if url.scheme not in ("http", "https") or not url.host:
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if not self._bot.service.https_only:
            return
        if url.scheme != "https":
            raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
        if url.port not in _PORTS:
            raise bad_request("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")
