"""From errors to gRPC statuses: the only place that knows how a refusal looks on the wire."""

from collections.abc import Iterator, Mapping
from math import ceil

import grpc
import structlog
from google.protobuf.message import Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from chat4all_core.domain.errors import (
    AbortedError,
    AlreadyExistsError,
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    OutOfRangeError,
    PermissionDeniedError,
    QuotaExceededError,
    Reason,
    RefusedError,
    ResourceExhaustedError,
    RetryableError,
    UnauthenticatedError,
    UnavailableError,
)

DOMAIN = "chat4all"
STATUS_DETAILS_KEY = "grpc-status-details-bin"

_log = structlog.get_logger(__name__)

# The details travel as a header, of which peers and proxies take about 8 KiB in all. Texts may hold what the
# caller sent, so each is cut to a length that can't exceed that.
MAX_TEXT = 160
MAX_VIOLATIONS = 8


class DeadlineExceededError(RefusedError):
    """The call took longer than its caller, or the server, lets it."""

    def __init__(self) -> None:
        super().__init__(
            Reason.DEADLINE_EXCEEDED,
            "the deadline passed before the call was done; it may be sent again under the same request_id",
        )


class MethodNotFoundError(RefusedError):
    """There is no such method."""

    def __init__(self) -> None:
        super().__init__(Reason.METHOD_NOT_FOUND, "there is no such method")


class InternalError(RefusedError):
    """An error that the server did not foresee: its cause is in the log and never in the answer."""

    def __init__(self) -> None:
        super().__init__(Reason.INTERNAL_ERROR, "the server met an error that it did not foresee")


CODES: Mapping[type[RefusedError], grpc.StatusCode] = {
    InvalidArgumentError: grpc.StatusCode.INVALID_ARGUMENT,
    UnauthenticatedError: grpc.StatusCode.UNAUTHENTICATED,
    PermissionDeniedError: grpc.StatusCode.PERMISSION_DENIED,
    NotFoundError: grpc.StatusCode.NOT_FOUND,
    AlreadyExistsError: grpc.StatusCode.ALREADY_EXISTS,
    FailedPreconditionError: grpc.StatusCode.FAILED_PRECONDITION,
    OutOfRangeError: grpc.StatusCode.OUT_OF_RANGE,
    AbortedError: grpc.StatusCode.ABORTED,
    QuotaExceededError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    UnavailableError: grpc.StatusCode.UNAVAILABLE,
    ResourceExhaustedError: grpc.StatusCode.RESOURCE_EXHAUSTED,
    DeadlineExceededError: grpc.StatusCode.DEADLINE_EXCEEDED,
    MethodNotFoundError: grpc.StatusCode.UNIMPLEMENTED,
    InternalError: grpc.StatusCode.INTERNAL,
}


def code_of(error: RefusedError) -> grpc.StatusCode:
    """The status of an error: of its class, or of the nearest that it is a kind of, for adapters have kinds of their
    own."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def refusal_for(error: Exception, method: str) -> RefusedError:
    """What to tell the caller of an error: a refusal as it is, anything else as InternalError, after writing it to
    the log with the trace id that the answer is found by."""
    if isinstance(error, RefusedError):
        return error
    _log.error("rpc failed", method=method, exc_info=error)
    return InternalError()


def to_status(error: RefusedError) -> Status:
    """The status with its details: ErrorInfo always, BadRequest for invalid input, RetryInfo where
    waiting helps."""
    status = Status(code=code_of(error).value[0], message=error.message[:MAX_TEXT])
    for detail in _details(error):
        status.details.add().Pack(detail)
    return status


async def abort(context: grpc.aio.ServicerContext[object, object], error: RefusedError) -> None:
    """End a call with the status of an error. Never returns: grpc raises AbortError."""
    status = to_status(error)
    details = (STATUS_DETAILS_KEY, status.SerializeToString())
    await context.abort(code_of(error), status.message, (details, *retry_after(error).items()))


def retry_after(error: RefusedError) -> Mapping[str, str]:
    """The header by which REST clients and proxies learn when to come back: in whole seconds, never too early."""
    return {"retry-after": str(max(1, ceil(error.retry_after)))} if isinstance(error, RetryableError) else {}


def _details(error: RefusedError) -> Iterator[Message]:
    metadata = {key: value[:MAX_TEXT] for key, value in error.metadata.items()}
    yield ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=metadata)
    if isinstance(error, InvalidArgumentError) and error.violations:
        bad_request = BadRequest()
        for violation in error.violations[:MAX_VIOLATIONS]:
            bad_request.field_violations.add(
                field=violation.field[:MAX_TEXT], description=violation.description[:MAX_TEXT]
            )
        yield bad_request
    if isinstance(error, RetryableError):
        retry_info = RetryInfo()
        retry_info.retry_delay.FromMilliseconds(round(error.retry_after * 1_000))
        yield retry_info
