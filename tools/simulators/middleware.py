"""Errors become answers of a service's own form."""

from collections.abc import Callable
from typing import Protocol

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from .channel import Channel
from .connection import DropConnectionError, drop
from .refusals import Refusals


class Refusal(Protocol):
    """What a service says no with."""

    @property
    def code(self) -> int:
        """The service's own."""
        ...

    def response(self) -> web.Response:
        """The answer over HTTP."""
        ...


def refusing(
    channel: Channel, refusals: Refusals, refusal_of: Callable[[web.Request, Exception], Refusal]
) -> Middleware:
    """Answers what a handler raises as `refusal_of` says, and drops the connection where a fault says so."""

    @web.middleware
    async def answer(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except DropConnectionError:
            return drop(request)
        except Exception as error:
            refusal = refusal_of(request, error)
        refusals.note(channel, refusal.code)
        return refusal.response()

    return answer
