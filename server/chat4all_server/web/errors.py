"""Errors of the HTTP handlers, as the transcoder would give them: google.rpc.Status in JSON."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress

import grpc
from aiohttp import ClientPayloadError, web
from google.protobuf.json_format import MessageToJson

from chat4all_core.domain.errors import RefusedError
from chat4all_server.errors import code_of, refusal_for, retry_after, to_status

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

ANSWER_BEGUN = "chat4all_answer_begun"
"""Set in a request whose answer's headers were sent."""

_SMALL_BODY = 64 << 10

# As google.rpc.Code describes them.
HTTP_STATUSES: Mapping[grpc.StatusCode, int] = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}


def answering_errors(handler: Handler) -> Handler:
    """The handler, whose errors become answers. Once one has begun (`ANSWER_BEGUN`), an error can only cut it off,
    so that it does not look whole."""

    async def answering(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPException, asyncio.CancelledError):
            raise
        except (ConnectionError, ClientPayloadError):  # the client is gone, and hears nothing any more
            return _cut_off(request)
        except Exception as error:
            refusal = refusal_for(error, f"{request.method} {request.path}")
            if ANSWER_BEGUN in request:
                return _cut_off(request)
            await _pass_over_small_body(request)
            return error_response(refusal)

    return answering


def error_response(error: RefusedError) -> web.Response:
    """The answer for an error."""
    return web.Response(
        status=HTTP_STATUSES[code_of(error)],
        text=MessageToJson(to_status(error), preserving_proto_field_name=True, indent=None),
        content_type="application/json",
        headers=retry_after(error),
    )


async def _pass_over_small_body(request: web.Request) -> None:
    """Read what is left of a small body, for a connection on which some is left can't be used again."""
    if request.can_read_body and (request.content_length or _SMALL_BODY) < _SMALL_BODY:
        with suppress(ConnectionError, ClientPayloadError):
            while await request.content.readany():
                pass


def _cut_off(request: web.Request) -> web.Response:
    """What goes to nobody, for the connection is dropped."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
