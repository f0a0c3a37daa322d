"""A real web server that takes webhooks and remembers them."""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web

DEADLINE = 60.0


@dataclass(frozen=True, slots=True)
class ReceivedWebhook:
    """One request."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def payload(self) -> Any:
        """What it says."""
        return json.loads(self.body)


class WebhookReceiver:
    """`async with WebhookReceiver() as receiver`: answers 200, or first the statuses in `answers`."""

    def __init__(self, verify_token: str = "chat4all-development") -> None:
        self.requests: list[ReceivedWebhook] = []
        self.answers: deque[int] = deque()
        self._verify_token = verify_token
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_get("/{path:.*}", self._verify)
        application.router.add_post("/{path:.*}", self._receive)
        self._runner = web.AppRunner(application)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    async def until(self, holds: Callable[[list[ReceivedWebhook]], bool]) -> list[ReceivedWebhook]:
        """What was received, once it is enough."""
        async with asyncio.timeout(DEADLINE), self._changed:
            await self._changed.wait_for(lambda: holds(self.requests))
        return list(self.requests)

    async def until_count(self, count: int) -> list[ReceivedWebhook]:
        """What was received, once there are so many requests."""
        return await self.until(lambda requests: len(requests) >= count)

    async def _verify(self, request: web.Request) -> web.Response:
        if request.query.get("hub.verify_token") != self._verify_token:
            return web.Response(status=403)
        return web.Response(text=request.query["hub.challenge"])

    async def _receive(self, request: web.Request) -> web.Response:
        received = ReceivedWebhook(request.headers.copy(), await request.read())
        async with self._changed:
            self.requests.append(received)
            self._changed.notify_all()
        return web.Response(status=self.answers.popleft() if self.answers else 200)
