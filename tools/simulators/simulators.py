"""The three services and their control API, served on one loopback port."""

import asyncio
import contextlib
import random
import socket
import time
from collections.abc import Coroutine
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from .accepted_log import AcceptedLog
from .channel import Channel
from .clock import Now
from .context import Context
from .control.application import build_control
from .control.services import Services
from .customer_actions import CustomerActions
from .faults import Faults
from .instagram.service import InstagramService
from .media_store import MediaStore
from .refusals import Refusals
from .service import Service, WebhookRefusedError
from .settings import Settings
from .telegram.service import TelegramService
from .timers import Timers
from .traffic import Traffic
from .webhooks.delivery import Deliveries
from .webhooks.policy import PolicyInForce
from .whatsapp.service import WhatsAppService

_REGISTER_AGAIN_SECONDS = 0.5
_MAX_REQUEST = 160 << 20  # the largest file in base64, or in a form


class Simulators:
    """Running simulators: `async with Simulators() as simulators`. They forget everything when they end."""

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        webhook_base: str | None = None,
        now: Now = time.time,
        chance: random.Random | None = None,
    ) -> None:
        """Port 0 takes a free one. With a webhook_base, every account's webhook is registered at
        {webhook_base}/v1/channels/{channel}/webhook, as soon as somebody answers there."""
        self._settings = settings or Settings()
        self._host = host
        self._port = port
        self._webhook_base = webhook_base
        self._now = now
        self._chance = chance or random.Random()
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with contextlib.AsyncExitStack() as stack:
            await self._start(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @property
    def url(self) -> str:
        """Where they are: {url}/whatsapp, {url}/instagram, {url}/telegram and {url}/control."""
        return self._context.base_url

    @property
    def accepted(self) -> AcceptedLog:
        """Every message that was accepted."""
        return self._context.accepted

    @property
    def refusals(self) -> Refusals:
        """How often each service said no."""
        return self._context.refusals

    @property
    def faults(self) -> Faults:
        """What is made to go wrong."""
        return self._context.faults

    @property
    def deliveries(self) -> Deliveries:
        """Requests to webhooks."""
        return self._context.deliveries

    def customers(self, channel: Channel) -> CustomerActions:
        """The hands of a channel's customers."""
        return self._services.named(channel).customers

    def service(self, channel: Channel) -> Service:
        """A channel's service."""
        return self._services.named(channel)

    async def _start(self, stack: contextlib.AsyncExitStack) -> None:
        listener = socket.create_server((self._host, self._port))
        stack.callback(listener.close)
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())
        )
        timers = Timers()
        stack.callback(timers.close)
        self._context = self._build_context(f"http://{self._host}:{listener.getsockname()[1]}", session, timers)
        services: list[Service] = [
            WhatsAppService(self._settings.whatsapp, self._context),
            InstagramService(self._settings.instagram, self._context),
            TelegramService(self._settings.telegram, self._context),
        ]
        self._services = Services(services)
        runner = web.AppRunner(self._application(services), access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.SockSite(runner, listener).start()
        for service in services:
            self._run(stack, service.run())
        if self._webhook_base is not None:
            self._run(stack, self._register(self._webhook_base.rstrip("/")))

    def _build_context(self, url: str, session: aiohttp.ClientSession, timers: Timers) -> Context:
        bounds = self._settings.bounds
        return Context(
            now=self._now,
            base_url=url,
            bounds=bounds,
            policy=PolicyInForce(self._settings.webhooks),
            faults=Faults(self._chance),
            accepted=AcceptedLog(bounds.accepted_messages),
            refusals=Refusals(),
            traffic=Traffic(bounds.conversations, bounds.entries_per_conversation),
            media=MediaStore(bounds.media_bytes, self._now),
            timers=timers,
            session=session,
            deliveries=Deliveries(bounds.webhook_requests),
        )

    def _application(self, services: list[Service]) -> web.Application:
        application = web.Application(client_max_size=_MAX_REQUEST)
        for service in services:
            application.add_subapp(f"/{service.channel}", service.application())
        application.add_subapp("/control", build_control(self._services, self._context))
        application.router.add_get("/", _to_page)
        return application

    async def _register(self, base: str) -> None:
        waiting = [(service, str(account["id"])) for service in self._services.all() for account in service.accounts()]
        while waiting:
            for service, account in list(waiting):
                with contextlib.suppress(WebhookRefusedError):
                    await service.register_webhook(account, f"{base}/v1/channels/{service.channel}/webhook", None)
                    waiting.remove((service, account))
            await asyncio.sleep(_REGISTER_AGAIN_SECONDS)

    def _run(self, stack: contextlib.AsyncExitStack, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)

        async def stop() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        stack.push_async_callback(stop)


async def _to_page(_: web.Request) -> web.Response:
    raise web.HTTPFound("/control/")
