"""The paths: an account's or a person's id, and what is asked of it."""

import secrets
from collections.abc import Mapping

from aiohttp import web
from tools.simulators.context import Context
from tools.simulators.graph.access_token import AccessToken, no_permission, token_of, unknown_token
from tools.simulators.graph.error import bad_parameter, unknown_object
from tools.simulators.graph.request_body import parameters_of

from .account import InstagramAccount
from .message_request import ActionRequest, parse
from .sending import Sending


class Nodes:
    """The handlers."""

    def __init__(self, accounts: Mapping[str, InstagramAccount], context: Context) -> None:
        self._accounts = accounts
        self._context = context

    def add_to(self, application: web.Application) -> None:
        """Add the routes. Calls without a version mean the newest."""
        router = application.router
        router.add_get("/attachments/{id}", self._attachment)
        for version in ("", r"/{version:v\d+\.\d+}"):
            router.add_get(version + "/refresh_access_token", self._refresh)
            router.add_post(version + "/{id}/messages", self._messages)
            router.add_post(version + "/{id}/subscribed_apps", self._subscribe)
            router.add_get(version + "/{id}", self._get, allow_head=False)

    async def _messages(self, request: web.Request) -> web.Response:
        sending = Sending(self._account(request))
        wanted = parse(await parameters_of(request))
        if isinstance(wanted, ActionRequest):
            return web.json_response(sending.act(wanted))
        return web.json_response(await sending.send(wanted))

    async def _subscribe(self, request: web.Request) -> web.Response:
        self._account(request)
        return web.json_response({"success": True})

    async def _get(self, request: web.Request) -> web.Response:
        holder, _ = self._holder(request)
        node = request.match_info["id"]
        if node in ("me", holder.id):
            settings = holder.settings
            return web.json_response({"id": holder.id, "user_id": holder.id, "username": settings.username})
        conversation = holder.conversation(node)
        if conversation is None:
            raise unknown_object(node, "GET")
        return web.json_response({"id": node, "name": conversation.name, "username": conversation.name})

    async def _refresh(self, request: web.Request) -> web.Response:
        if request.query.get("grant_type") != "ig_refresh_token":
            raise bad_parameter("Param grant_type must be one of {IG_REFRESH_TOKEN}")
        account, token = self._holder(request)
        now = self._context.now()
        if now - token.issued_at < account.service.refresh_after_seconds:
            raise bad_parameter("The access token is too young to be refreshed")
        lifetime = account.settings.token_lifetime_seconds
        account.replace_token(AccessToken(f"IGAA{secrets.token_urlsafe(32)}", now, now + lifetime))
        return web.json_response(
            {"access_token": account.token.value, "token_type": "bearer", "expires_in": int(lifetime)}
        )

    async def _attachment(self, request: web.Request) -> web.Response:
        stored = self._context.media.get(request.match_info["id"])
        if stored is None or stored.owner not in self._accounts:
            raise unknown_object(request.match_info["id"], "GET")
        return web.Response(body=stored.content, content_type=stored.facts.mime_type)

    def _holder(self, request: web.Request) -> tuple[InstagramAccount, AccessToken]:
        """The account whose token the request carries."""
        value = token_of(request)
        for account in self._accounts.values():
            token = account.find_token(value)
            if token is not None:
                return account, token
        raise unknown_token()

    def _account(self, request: web.Request) -> InstagramAccount:
        """The account in the path, whose the token must be."""
        holder, _ = self._holder(request)
        node = request.match_info["id"]
        if node in ("me", holder.id):
            return holder
        if node in self._accounts:
            raise no_permission()
        raise unknown_object(node, request.method)
