"""Errors of the HTTP handlers, as the transcoder would give them: google.rpc.Status in JSON."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import grpc
from aiohttp import web
from google.protobuf.json_format import MessageToJson

from chat4all_core.domain.errors import RefusedError, RetryableError
from chat4all_server.errors import CODES, refusal_for, to_status

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

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
    """The handler, whose errors become answers. Once an answer has begun, an error can only cut it off, so that it
    does not look whole."""

    async def answering(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except (web.HTTPException, asyncio.CancelledError, ConnectionError):
            raise
        except Exception as error:
            refusal = refusal_for(error, f"{request.method} {request.path}")
            if request.transport is not None and request.get("answer_begun"):
                request.transport.abort()
                raise ConnectionResetError("an answer was cut off") from error
            return error_response(refusal)

    return answering


def error_response(error: RefusedError) -> web.Response:
    """The answer for an error."""
    headers = {}
    if isinstance(error, RetryableError):
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return web.Response(
        status=HTTP_STATUSES[CODES[type(error)]],
        text=MessageToJson(to_status(error), preserving_proto_field_name=True, indent=None),
        content_type="application/json",
        headers=headers,
    )
