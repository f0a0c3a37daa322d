"""Bare HTTP clients of the simulated services."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

NUMBER = "100000000000001"
ANA = "5511999990001"
BRUNO = "5511999990002"


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
