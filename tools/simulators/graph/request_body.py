"""What a request says."""

import json

from aiohttp import web
from tools.simulators.json_value import JsonObject

from .error import bad_parameter


async def parameters_of(request: web.Request) -> JsonObject:
    """The query's parameters and the body's, JSON or a form; the body's win.

    Raises:
        GraphError: 100, the body is not JSON though it says so, or no object.
    """
    parameters: JsonObject = dict(request.query)
    if request.content_type == "application/json":
        return parameters | _json_object(await request.read())
    if request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return parameters | dict(await request.post())
    return parameters


def _json_object(body: bytes) -> JsonObject:
    if not body:
        return {}
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise bad_parameter("Invalid parameter: the request body is not valid JSON") from None
    if not isinstance(value, dict):
        raise bad_parameter("Invalid parameter: the request body must be a JSON object")
    return value
