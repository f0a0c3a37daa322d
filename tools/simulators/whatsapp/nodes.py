"""The paths: a node's id, and what is asked of it."""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace

import aiohttp
from aiohttp import web
from tools.simulators.graph.access_token import no_permission, token_of
from tools.simulators.graph.error import missing_parameter, unknown_object
from tools.simulators.graph.handshake import verify_webhook
from tools.simulators.graph.request_body import parameters_of
from tools.simulators.json_value import JsonObject

from . import media
from .account import WhatsAppAccount
from .message_request import ReadRequest, parse
from .resumable_upload import ResumableUploads
from .sending import Sending


class Nodes:
    """The handlers."""

    def __init__(
        self,
        accounts: Mapping[str, WhatsAppAccount],
        sendings: Mapping[str, Sending],
        account_of_token: Callable[[str], WhatsAppAccount],
        session: aiohttp.ClientSession,
    ) -> None:
        self._accounts = accounts
        self._sendings = sendings
        self._account_of_token = account_of_token
        self._session = session
        self._uploads = ResumableUploads()
        self._url_key = media.new_key()

    def add_to(self, application: web.Application) -> None:
        """Add the routes."""
        version = r"/{version:v\d+\.\d+}"
        router = application.router
        router.add_get("/attachments/", self._download)
        router.add_get(version + "/oauth/access_token", self._app_token)
        router.add_post(version + "/{id}/messages", self._messages)
        router.add_post(version + "/{id}/media", self._upload)
        router.add_post(version + "/{id}/uploads", self._begin_upload)
        router.add_post(version + "/{id}/subscriptions", self._subscribe_app)
        router.add_post(version + "/{id}/subscribed_apps", self._subscribe_business_account)
        for path in (version + "/{id}", version + "/{id}/"):
            router.add_get(path, self._get, allow_head=False)
            router.add_post(path, self._post)
            router.add_delete(path, self._delete)

    async def _messages(self, request: web.Request) -> web.Response:
        account = self._number(request)
        wanted = parse(await parameters_of(request))
        sending = self._sendings[account.id]
        if isinstance(wanted, ReadRequest):
            return web.json_response(sending.mark_read(wanted))
        return web.json_response(await sending.send(wanted))

    async def _upload(self, request: web.Request) -> web.Response:
        return await media.upload(self._number(request), request)

    async def _download(self, request: web.Request) -> web.Response:
        return media.download(self._account_of_token, request, self._url_key)

    async def _get(self, request: web.Request) -> web.Response:
        holder, node = self._holder(request), request.match_info["id"]
        if node.startswith("upload:"):
            return self._uploads.offset(holder.id, node)
        if node in self._accounts:
            return web.json_response(_facts(self._number(request)))
        return media.describe(holder, node, self._url_key)

    async def _post(self, request: web.Request) -> web.Response:
        holder, node = self._holder(request), request.match_info["id"]
        if node.startswith("upload:"):
            return await self._uploads.append(holder.id, node, request)
        account = self._number(request)
        configuration = (await parameters_of(request)).get("webhook_configuration")
        if not isinstance(configuration, dict):
            raise missing_parameter("webhook_configuration")
        url = await self._verified(configuration, "override_callback_uri")
        account.callbacks = replace(account.callbacks, phone=url)
        return web.json_response({"success": True})

    async def _delete(self, request: web.Request) -> web.Response:
        return media.delete(self._holder(request), request.match_info["id"])

    async def _begin_upload(self, request: web.Request) -> web.Response:
        holder = self._holder(request)
        if request.match_info["id"] not in (holder.settings.app_id, "app"):
            raise unknown_object(request.match_info["id"], "POST")
        return self._uploads.begin(holder.id, await parameters_of(request))

    async def _app_token(self, request: web.Request) -> web.Response:
        app_id, secret = request.query.get("client_id", ""), request.query.get("client_secret", "")
        self._check_app(app_id, secret)
        return web.json_response({"access_token": f"{app_id}|{secret}", "token_type": "bearer"})

    async def _subscribe_app(self, request: web.Request) -> web.Response:
        app_id = request.match_info["id"]
        # The app's own token is in the query, even where a client sends another one in the header.
        _, _, secret = request.query.get("access_token", "").partition("|")
        self._check_app(app_id, secret)
        url = await self._verified(await parameters_of(request), "callback_url")
        for account in self._accounts.values():
            if account.settings.app_id == app_id:
                account.callbacks = replace(account.callbacks, app=url)
        return web.json_response({"success": True})

    async def _subscribe_business_account(self, request: web.Request) -> web.Response:
        holder = self._holder(request)
        if request.match_info["id"] != holder.settings.business_account_id:
            raise unknown_object(request.match_info["id"], "POST")
        url = await self._verified(await parameters_of(request), "override_callback_uri")
        for account in self._accounts.values():
            if account.settings.business_account_id == holder.settings.business_account_id:
                account.callbacks = replace(account.callbacks, business_account=url)
        return web.json_response({"success": True})

    async def _verified(self, parameters: JsonObject, name: str) -> str:
        """The URL that a request names, once it has answered the handshake; empty when it names none."""
        url = str(parameters.get(name) or "")
        if url:
            await verify_webhook(self._session, url, str(parameters.get("verify_token") or ""))
        return url

    def _check_app(self, app_id: str, secret: str) -> None:
        """The app exists and this is its secret, or GraphError."""
        for account in self._accounts.values():
            settings = account.settings
            if settings.app_id == app_id and hmac.compare_digest(settings.app_secret.encode(), secret.encode()):
                return
        raise no_permission()

    def _holder(self, request: web.Request) -> WhatsAppAccount:
        """The number whose token the request carries."""
        return self._account_of_token(token_of(request))

    def _number(self, request: web.Request) -> WhatsAppAccount:
        """The number in the path, for which the token may act. Several numbers may have the same token."""
        holder = self._holder(request)
        account = self._accounts.get(request.match_info["id"])
        if account is None:
            raise unknown_object(request.match_info["id"], request.method)
        if account.token.value != holder.token.value:
            raise no_permission()
        return account


def _facts(account: WhatsAppAccount) -> JsonObject:
    return {
        "id": account.id,
        "display_phone_number": account.settings.display_phone_number,
        "verified_name": "Chat4All",
        "quality_rating": "GREEN",
        "code_verification_status": "VERIFIED",
        "platform_type": "CLOUD_API",
        "throughput": {"level": "STANDARD"},
        "webhook_configuration": {"application": account.webhook.url or ""},
    }
