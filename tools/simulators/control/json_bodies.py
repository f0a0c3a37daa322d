"""JSON in and out of the control API."""

import dataclasses
import json

from aiohttp import web
from aiohttp.typedefs import Handler
from tools.simulators.customer_actions import UnknownTargetError, UnsupportedActionError
from tools.simulators.json_value import JsonObject
from tools.simulators.service import WebhookRefusedError
from tools.simulators.settings import SettingsError
from tools.simulators.traffic import TrafficEntry
from tools.simulators.webhooks.delivery import Delivery


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Errors as {"error": "..."}."""
    try:
        return await handler(request)
    except UnknownTargetError as error:
        return _error(404, error)
    except (UnsupportedActionError, WebhookRefusedError, SettingsError, ValueError) as error:
        return _error(400, error)


async def body_of(request: web.Request) -> JsonObject:
    """The JSON object that a request carries. Its type must say so, which pages of other sites can't make it say.

    Raises:
        ValueError: it is none.
    """
    if request.content_type != "application/json":
        raise ValueError("the body must be application/json")
    value = json.loads(await request.read())
    if not isinstance(value, dict):
        raise ValueError("the body must be a JSON object")
    return value


def text_of(body: JsonObject, name: str) -> str:
    """A text that must be there."""
    value = body.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name} must be a text")
    return value


def flag_of(body: JsonObject, name: str) -> bool:
    """A truth value that must be there."""
    value = body.get(name)
    if not isinstance(value, bool):
        raise ValueError(f"{name} must be true or false")
    return value


def entry_json(entry: TrafficEntry) -> JsonObject:
    """An entry of a conversation."""
    fields = dataclasses.asdict(entry)
    place: JsonObject = fields.pop("place")
    return place | fields


def delivery_json(delivery: Delivery) -> JsonObject:
    """A request to a webhook."""
    return {
        "id": delivery.id,
        "channel": delivery.channel,
        "account": delivery.account,
        "events": delivery.events,
        "body": delivery.body.decode(),
        "headers": dict(delivery.headers),
        "created_at": delivery.created_at,
        "tries": delivery.tries,
        "attempts": [dataclasses.asdict(attempt) for attempt in delivery.attempts],
        "is_done": delivery.is_done,
    }


def _error(status: int, error: Exception) -> web.Response:
    return web.json_response({"error": str(error)}, status=status)
