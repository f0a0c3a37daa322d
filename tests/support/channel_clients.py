"""Bare HTTP clients of the simulated services."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

NUMBER = "100000000000001"
ANA = "5511999990001"
BRUNO = "5511999990002"
INSTAGRAM = "17841400000000001"
INSTAGRAM_ANA = "6100000000000001"
BOT = "100000001"
BOT_TOKEN = "100000001:telegram-development-token"
TELEGRAM_ANA = "710000001"


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, headers and JSON."""

    status: int
    headers: Mapping[str, str]
    json: Any

    @property
    def error(self) -> Any:
        """The error's code and subcode."""
        return self.json["error"]["code"], self.json["error"].get("error_subcode")


@dataclass(frozen=True, slots=True)
class GraphClient:
    """A Graph API with a token."""

    session: aiohttp.ClientSession
    url: str
    token: str

    async def call(self, method: str, path: str, **options: Any) -> Answer:
        """One request."""
        headers = {"Authorization": f"Bearer {self.token}"} | options.pop("headers", {})
        async with self.session.request(method, f"{self.url}{path}", headers=headers, **options) as response:
            return Answer(response.status, response.headers, await response.json())

    async def send_text(self, text: str, to: str = ANA, **more: Any) -> Answer:
        """A WhatsApp text."""
        return await self.send({"to": to, "type": "text", "text": {"body": text}} | more)

    async def send(self, message: Mapping[str, Any]) -> Answer:
        """A WhatsApp message."""
        return await self.call("POST", f"/{NUMBER}/messages", json={"messaging_product": "whatsapp", **message})

    async def send_direct(self, message: Mapping[str, Any], to: str = INSTAGRAM_ANA, **more: Any) -> Answer:
        """An Instagram message."""
        body = {"recipient": {"id": to}, "message": message} | more
        return await self.call("POST", f"/{INSTAGRAM}/messages", json=body)


@dataclass(frozen=True, slots=True)
class BotClient:
    """The Bot API with a token."""

    session: aiohttp.ClientSession
    url: str
    token: str = BOT_TOKEN

    async def call(self, method: str, values: Mapping[str, Any] | None = None, **options: Any) -> Answer:
        """One call, with JSON."""
        url = f"{self.url}/bot{self.token}/{method}"
        body = {} if "data" in options else {"json": values or {}}
        async with self.session.post(url, **body, **options) as response:
            return Answer(response.status, response.headers, await response.json())

    async def send_text(self, text: str, chat_id: str = TELEGRAM_ANA, **more: Any) -> Answer:
        """A text."""
        return await self.call("sendMessage", {"chat_id": chat_id, "text": text} | more)
