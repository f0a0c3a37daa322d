"""A person's hands as somebody's customer."""

import base64
from dataclasses import dataclass

from aiohttp import web
from tools.simulators.customer_actions import CustomerActions, CustomerFile, CustomerMessage
from tools.simulators.json_value import JsonObject

from .json_bodies import body_of, flag_of, text_of
from .services import Services


@dataclass(frozen=True, slots=True)
class _Customer:
    actions: CustomerActions
    account: str
    id: str
    body: JsonObject


class CustomerHandlers:
    """The handlers."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def add_to(self, application: web.Application) -> None:
        """Add the routes."""
        path = "/customers/{channel}/{account}/{customer}"
        router = application.router
        router.add_post(path + "/messages", self._send)
        router.add_post(path + "/reactions", self._react)
        router.add_post(path + "/edits", self._edit)
        router.add_post(path + "/deletions", self._delete)
        router.add_post(path + "/reads", self._read)
        router.add_put(path + "/window", self._set_window)
        router.add_put(path + "/reachable", self._set_reachable)

    async def _send(self, request: web.Request) -> web.Response:
        customer = await self._customer(request)
        message_id = await customer.actions.send(customer.account, customer.id, _message(customer.body))
        return web.json_response({"message_id": message_id})

    async def _react(self, request: web.Request) -> web.Response:
        customer = await self._customer(request)
        message_id, emoji = text_of(customer.body, "message_id"), text_of(customer.body, "emoji")
        customer.actions.react(customer.account, customer.id, message_id, emoji)
        return web.json_response({})

    async def _edit(self, request: web.Request) -> web.Response:
        customer = await self._customer(request)
        message_id, text = text_of(customer.body, "message_id"), text_of(customer.body, "text")
        customer.actions.edit(customer.account, customer.id, message_id, text)
        return web.json_response({})

    async def _delete(self, request: web.Request) -> web.Response:
        customer = await self._customer(request)
        customer.actions.delete(customer.account, customer.id, text_of(customer.body, "message_id"))
        return web.json_response({})

    async def _read(self, request: web.Request) -> web.Response:
        customer = await self._customer(request)
        message_id = text_of(customer.body, "message_id") if "message_id" in customer.body else None
        return web.json_response({"read": customer.actions.read(customer.account, customer.id, message_id)})

    async def _set_window(self, request: web.Request) -> web.Response:
        customer = await self._customer(request)
        customer.actions.set_window(customer.account, customer.id, flag_of(customer.body, "open"))
        return web.json_response({})

    async def _set_reachable(self, request: web.Request) -> web.Response:
        customer = await self._customer(request)
        customer.actions.set_reachable(customer.account, customer.id, flag_of(customer.body, "reachable"))
        return web.json_response({})

    async def _customer(self, request: web.Request) -> _Customer:
        names = request.match_info
        actions = self._services.named(names["channel"]).customers
        return _Customer(actions, names["account"], names["customer"], await body_of(request))


def _message(body: JsonObject) -> CustomerMessage:
    file = body.get("file")
    if not isinstance(file, dict | None):
        raise ValueError("file must be an object with content (base64), mime_type and filename")
    message = CustomerMessage(
        text=text_of(body, "text") if "text" in body else "",
        file=None if file is None else _file(file),
        reply_to=text_of(body, "reply_to") if "reply_to" in body else None,
        name=text_of(body, "name") if "name" in body else None,
        unsupported=flag_of(body, "unsupported") if "unsupported" in body else False,
    )
    if not message.text and message.file is None and not message.unsupported:
        raise ValueError("a message has a text, a file, or is unsupported")
    return message


def _file(body: JsonObject) -> CustomerFile:
    content = base64.b64decode(text_of(body, "content"), validate=True)
    return CustomerFile(content, text_of(body, "mime_type"), text_of(body, "filename"))
