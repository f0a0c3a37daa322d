"""Connections that break instead of an answer."""

from aiohttp import web


class DropConnectionError(Exception):
    """The client is to get no answer."""


def drop(request: web.Request) -> web.Response:
    """Reset the connection of a request; what is returned goes to nobody."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
