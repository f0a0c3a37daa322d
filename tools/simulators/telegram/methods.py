"""Every method of one bot, by name."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

from tools.simulators.connection import DropConnectionError
from tools.simulators.json_value import JsonObject

from .bot import Bot
from .errors import TelegramError, bad_request
from .files import KINDS, path_of
from .parameters import Parameters
from .polling import Polling
from .sending import Sending
from .webhook import Webhook
from .webhook_methods import WebhookMethods

Method = Callable[[Parameters], Awaitable[object]]


class Methods:
    """What a bot can call."""

    def __init__(self, bot: Bot) -> None:
        self.bot = bot
        self.webhook = Webhook(bot, self._call_from_webhook)
        self._polling = Polling(bot)
        sending = Sending(bot)
        webhook = WebhookMethods(bot, self.webhook)
        self.set_webhook = webhook.set
        self._methods: Mapping[str, Method] = {
            "getme": self._get_me,
            "getchat": self._get_chat,
            "getfile": self._get_file,
            "getupdates": self._get_updates,
            "setwebhook": webhook.set,
            "deletewebhook": webhook.delete,
            "getwebhookinfo": webhook.info,
            "sendmessage": sending.send_text,
            "sendlocation": sending.send_location,
            "sendchataction": sending.act,
            "setmessagereaction": sending.react,
            "editmessagetext": sending.edit_text,
            "deletemessage": sending.delete,
            **{f"send{kind}": partial(sending.send_file, kind) for kind in KINDS},
        }

    async def call(self, method: str, parameters: Parameters) -> object:
        """Carry out a call; the names of methods are not case-sensitive.

        Raises:
            TelegramError: it is refused.
            DropConnectionError: a fault.
        """
        found = self._methods.get(method.lower())
        if found is None:
            raise TelegramError(404, "Not Found: method not found")
        return await found(parameters)

    async def _call_from_webhook(self, method: str, values: Mapping[str, object]) -> object:
        with contextlib.suppress(TelegramError, DropConnectionError):
            return await self.call(method, Parameters(values))
        return None

    async def _get_me(self, _: Parameters) -> JsonObject:
        abilities = {"can_join_groups": True, "can_read_all_group_messages": False, "supports_inline_queries": False}
        return self.bot.user() | abilities

    async def _get_chat(self, parameters: Parameters) -> JsonObject:
        chat_id = parameters.chat_id()
        chat = None if chat_id is None else self.bot.chat(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        return chat.json() | {"accent_color_id": 0, "max_reaction_count": 11}

    async def _get_file(self, parameters: Parameters) -> JsonObject:
        stored = self.bot.context.media.get(parameters.text("file_id"))
        if stored is None or stored.owner != self.bot.id:
            raise bad_request("invalid file_id")
        if stored.facts.size > self.bot.service.download_limit_bytes:
            raise bad_request("file is too big")
        return {
            "file_id": stored.id,
            "file_unique_id": stored.facts.sha256[:16],
            "file_size": stored.facts.size,
            "file_path": path_of(stored),
        }

    async def _get_updates(self, parameters: Parameters) -> list[JsonObject]:
        if self.webhook.setting.url:
            raise TelegramError(
                409,
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the "
                "webhook first",
            )
        return await self._polling.get_updates(parameters)
