"""Errors become answers."""

import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from tools.simulators.channel import Channel
from tools.simulators.connection import DropConnectionError, drop
from tools.simulators.refusals import Refusals

from .error import GraphError

_LOG = logging.getLogger(__name__)


def answering_errors(channel: Channel, refusals: Refusals) -> Middleware:
    """Answers a refusal in the Graph API's form, and drops the connection where a fault says so."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except DropConnectionError:
            return drop(request)
        except Exception as error:
            refusal = _refusal(request, error)
        refusals.note(channel, refusal.code)
        return refusal.response()

    return answer


def _refusal(request: web.Request, error: Exception) -> GraphError:
    match error:
        case GraphError():
            return error
        case web.HTTPNotFound():
            return GraphError(404, 2500, f"Unknown path components: {request.path}")
        case web.HTTPMethodNotAllowed():
            return GraphError(400, 100, f"Unsupported {request.method.lower()} request.", "GraphMethodException")
        case web.HTTPException():
            return GraphError(error.status, 100, f"(#100) {error.reason}")
    _LOG.error("%s %s", request.method, request.path, exc_info=error)
    return GraphError(500, 1, "An unknown error has occurred.")
