"""Reads the exceptions of `errors` from the status that a call ended with."""

from collections.abc import Mapping
from typing import TypeVar

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.message import Message as ProtoMessage
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from chat4all_sdk import errors

__all__ = ["error_from_call", "error_from_status"]

_CLASSES: Mapping[grpc.StatusCode, type[errors.ChatError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidArgument,
    grpc.StatusCode.UNAUTHENTICATED: errors.Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDenied,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: errors.FailedPrecondition,
    grpc.StatusCode.OUT_OF_RANGE: errors.OutOfRange,
    grpc.StatusCode.DATA_LOSS: errors.DataLoss,
    grpc.StatusCode.ABORTED: errors.Aborted,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.ResourceExhausted,
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
}
_CODES: Mapping[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
_LOGIN_REASONS = frozenset({"TOKEN_MISSING", "TOKEN_INVALID", "TOKEN_EXPIRED", "REFRESH_TOKEN_INVALID"})

P = TypeVar("P", bound=ProtoMessage)


def error_from_call(error: grpc.aio.AioRpcError) -> errors.ChatError:
    """The exception for a call that ended with an error."""
    try:
        # It reads the fields of a finished call only, which this error has as well.
        status = rpc_status.from_call(error)  # type: ignore[arg-type]
    except ValueError:  # the details contradict the status: trust the status, as gRPC does
        status = None
    if status is None:
        status = status_pb2.Status(code=error.code().value[0], message=error.details() or "")
    return error_from_status(status)


def error_from_status(status: status_pb2.Status) -> errors.ChatError:
    """The exception for a status that came as a value, as in the answers of a send stream."""
    code = _CODES.get(status.code, grpc.StatusCode.UNKNOWN)
    info = _detail(status, error_details_pb2.ErrorInfo)
    invalid = _detail(status, error_details_pb2.BadRequest)
    kind = errors.LoginRequired if info.reason in _LOGIN_REASONS else _CLASSES.get(code, errors.ChatError)
    return kind(
        code,
        status.message,
        reason=info.reason,
        metadata=info.metadata,
        violations=tuple(errors.FieldViolation(v.field, v.description) for v in invalid.field_violations),
        retry_after=_retry_after(status),
    )


def _retry_after(status: status_pb2.Status) -> float | None:
    retry = _detail(status, error_details_pb2.RetryInfo)
    if not retry.HasField("retry_delay"):
        return None
    return retry.retry_delay.seconds + retry.retry_delay.nanos / 1e9


def _detail(status: status_pb2.Status, kind: type[P]) -> P:
    """The first detail of a kind, or an empty one."""
    found = kind()
    detail: Any
    for detail in status.details:
        if detail.Unpack(found):
            break
    return found
