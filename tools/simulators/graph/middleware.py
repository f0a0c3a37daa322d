"""Errors become answers."""

import logging
from collections.abc import Awaitable, Callable

from aiohttp import web
from tools.simulators.connection import DropConnectionError, drop

from .error import GraphError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_LOG = logging.getLogger(__name__)


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer a refusal in the Graph API's form; drop the connection where a fault says so."""
    try:
        return await handler(request)
    except GraphError as error:
        return error.response()
    except DropConnectionError:
        return drop(request)
    except web.HTTPNotFound:
        return GraphError(404, 2500, f"Unknown path components: {request.path}").response()
    except web.HTTPMethodNotAllowed:
        return GraphError(400, 100, f"Unsupported {request.method.lower()} request.", "GraphMethodException").response()
    except web.HTTPRequestEntityTooLarge:
        return GraphError(413, 100, "(#100) The request is too large").response()
    except web.HTTPException:
        raise
    except Exception:
        _LOG.exception("%s %s", request.method, request.path)
        return GraphError(500, 1, "An unknown error has occurred.").response()
