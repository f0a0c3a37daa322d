"""Errors become answers."""

import logging

from aiohttp import web
from aiohttp.typedefs import Middleware
from tools.simulators.channel import Channel
from tools.simulators.middleware import refusing
from tools.simulators.refusals import Refusals

from .error import GraphError

_LOG = logging.getLogger(__name__)


def answering_errors(channel: Channel, refusals: Refusals) -> Middleware:
    """Answers a refusal in the Graph API's form, and drops the connection where a fault says so."""
    return refusing(channel, refusals, _refusal)


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
