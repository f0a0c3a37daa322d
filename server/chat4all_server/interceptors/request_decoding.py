"""Reads requests, and refuses bytes that are none."""

from typing import Any

from google.protobuf.message import DecodeError

from chat4all_core.domain.errors import InvalidArgumentError, Reason
from chat4all_server.interceptors.interceptor import (
    Behavior,
    Context,
    Deserializer,
    Handler,
    Interceptor,
    Method,
    behavior_of,
    rebuild,
)


class RequestDecoding(Interceptor):
    """Decodes within the reach of error mapping. grpc would decode before any behavior runs, and answer what it
    can't read with UNKNOWN."""

    def wrap_handler(self, method: Method, inner: Handler) -> Handler:
        """The handler with its requests decoded here."""
        if inner.request_deserializer is None:
            return inner
        decode = _refusing(inner.request_deserializer)
        behavior = behavior_of(inner)
        if inner.request_streaming:
            # grpc decodes each request when the behavior asks for it, so the error comes out in there.
            return rebuild(inner, behavior, decode)
        return rebuild(inner, _decoding(behavior, decode), None)


def _decoding(behavior: Behavior, decode: Deserializer) -> Behavior:
    async def decoded(request: bytes, context: Context) -> Any:
        return await behavior(decode(request), context)

    return decoded


def _refusing(deserialize: Deserializer) -> Deserializer:
    def decode(request: bytes) -> Any:
        try:
            return deserialize(request)
        except DecodeError as error:
            raise InvalidArgumentError("the request is not a valid message", reason=Reason.MALFORMED_REQUEST) from error

    return decode
