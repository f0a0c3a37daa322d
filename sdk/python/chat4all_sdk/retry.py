"""Which failures are worth another attempt, and how long to wait before it.

gRPC's own retries (service config) don't do here: they stop after five attempts, know the server's wish
for a delay from a trailer of their own only, not from google.rpc.RetryInfo, and can't refresh an expired
token between two attempts. A retry library brings a decorator and global switches but neither of these
rules, so the loop is `Connection.call` and the arithmetic is this module.
"""

import random
from collections.abc import Callable

import grpc

from chat4all_sdk.errors import ChatError, ResourceExhausted

__all__ = ["Backoff", "RetryRule", "connection_lost", "idempotent", "never_sent", "resumable", "unavailable"]

RetryRule = Callable[[ChatError], bool]

# How gRPC's core and a proxy say that the request reached no server at all.
_NEVER_SENT = ("failed to connect to all addresses", "no healthy upstream", "connection failure")
# A status without a reason of the platform was made on the way: by gRPC's core or a proxy.
_TRANSPORT_CODES = frozenset(
    {
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.CANCELLED,
    }
)


def never_sent(error: ChatError) -> bool:
    """For calls that must not happen twice: the request surely had no effect."""
    if error.code is not grpc.StatusCode.UNAVAILABLE:
        return False
    return bool(error.reason) or any(text in error.message for text in _NEVER_SENT)


def unavailable(error: ChatError) -> bool:
    """The rule of AIP-194: UNAVAILABLE and nothing else."""
    return error.code is grpc.StatusCode.UNAVAILABLE


def connection_lost(error: ChatError) -> bool:
    """The connection broke: whether the call had an effect is not known."""
    return not error.reason and error.code in _TRANSPORT_CODES


def idempotent(error: ChatError) -> bool:
    """For calls that may happen twice, such as those with a request_id: whatever may have got lost."""
    return error.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED) or connection_lost(error)


def resumable(error: ChatError) -> bool:
    """For streams that go on from a cursor: whatever may be over by the next attempt."""
    if isinstance(error, ResourceExhausted):
        return error.retry_after is not None
    return idempotent(error) or error.code is grpc.StatusCode.INTERNAL


class Backoff:
    """Delays that grow exponentially up to a limit, with full jitter (all times in seconds)."""

    def __init__(self, *, base: float = 0.1, limit: float = 5.0) -> None:
        self._base = base
        self._limit = limit
        self._attempt = 0

    def next(self, retry_after: float | None = None) -> float:
        """The delay before the next attempt: at least what the server asked for."""
        ceiling = min(self._limit, self._base * 2**self._attempt)
        self._attempt = min(self._attempt + 1, 32)
        return (retry_after or 0.0) + random.uniform(0, ceiling)

    def reset(self) -> None:
        """Starts from the shortest delay again, after a success."""
        self._attempt = 0
