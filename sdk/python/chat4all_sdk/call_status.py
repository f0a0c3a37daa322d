"""The status that the platform gave a call to which the client was still writing."""

from collections.abc import Coroutine
from typing import Any, TypeVar

import grpc

__all__ = ["CallStatus"]

T = TypeVar("T")


class CallStatus:
    """Notes how a call ended as it ends. grpc.aio puts INTERNAL ("Internal error from Core") in place of the status
    that came, when a write that was under way fails after it: who reads it later takes a refusal for a lost
    connection."""

    def __init__(self, call: grpc.aio.Call) -> None:
        """Made with the call, before anything can have come."""
        self._noted: grpc.aio.AioRpcError | None = None
        call.add_done_callback(self._note)

    def true(self, failure: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        """What the call ended with, where `failure` is what it says at last."""
        if failure.code() is grpc.StatusCode.INTERNAL and self._noted is not None:
            return self._noted
        return failure

    def _note(self, call: Any) -> None:
        if self._noted is None:
            code, details, trailers = (_at_once(ask()) for ask in (call.code, call.details, call.trailing_metadata))
            if code is not grpc.StatusCode.OK:
                self._noted = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailers, details)


def _at_once(asked: Coroutine[Any, Any, T]) -> Any:
    """The answer of a coroutine that has nothing to wait for, as a call's that is done: in the next turn of the event
    loop it may be another one."""
    try:
        asked.send(None)
    except StopIteration as answer:
        return answer.value
    raise RuntimeError("the call is not done")
