"""Accounts: their facts, their tokens, their webhooks."""

from aiohttp import web
from tools.simulators.service import Service

from .json_bodies import body_of, text_of
from .services import Services


class AccountHandlers:
    """The handlers."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, application: web.Application) -> None:
        """Add the routes."""
        application.router.add_get("/accounts", self._list)
        application.router.add_put("/accounts/{channel}/{account}/webhook", self._set_webhook)
        application.router.add_put("/accounts/{channel}/{account}/token", self._set_token)

    async def _list(self, _: web.Request) -> web.Response:
        accounts = [account for service in self._services.all() for account in service.accounts()]
        return web.json_response({"accounts": accounts})

    async def _set_webhook(self, request: web.Request) -> web.Response:
        service, account = self._named(request)
        body = await body_of(request)
        token = body.get("verify_token")
        await service.register_webhook(account, text_of(body, "url"), None if token is None else str(token))
        return web.json_response({})

    async def _set_token(self, request: web.Request) -> web.Response:
        service, account = self._named(request)
        body = await body_of(request)
        lifetime, token = body.get("lifetime_seconds"), body.get("token")
        if not isinstance(lifetime, int | float | None):
            raise ValueError("lifetime_seconds must be a number")
        service.set_token(account, None if token is None else str(token), None if lifetime is None else float(lifetime))
        return web.json_response({})

    def _named(self, request: web.Request) -> tuple[Service, str]:
        return self._services.named(request.match_info["channel"]), request.match_info["account"]
