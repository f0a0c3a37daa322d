"""What the client raises: one class for each kind of refusal."""

from collections.abc import Mapping
from dataclasses import dataclass

import grpc

__all__ = [
    "Aborted",
    "AlreadyExists",
    "ChatError",
    "DataLoss",
    "DeadlineExceeded",
    "FailedPrecondition",
    "FieldViolation",
    "InvalidArgument",
    "LoginRequired",
    "NotFound",
    "OutOfRange",
    "PermissionDenied",
    "ResourceExhausted",
    "Unauthenticated",
    "Unavailable",
]


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """A field of the request whose value is not allowed."""

    field: str
    description: str


class ChatError(Exception):
    """A call that did not succeed.

    `reason` is a name of the platform's closed list (`NOT_A_PARTICIPANT`, …); it is empty when the
    call did not get as far as the platform, for example because the connection broke. `retry_after`
    is in seconds, None when the server did not say that waiting helps.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason: str = "",
        metadata: Mapping[str, str] | None = None,
        violations: tuple[FieldViolation, ...] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.violations = violations
        self.retry_after = retry_after

    def __str__(self) -> str:
        return f"{self.reason or self.code.name}: {self.message}"


class InvalidArgument(ChatError):
    """The request is not valid; `violations` names the fields."""


class Unauthenticated(ChatError):
    """The credentials are missing or wrong."""


class LoginRequired(Unauthenticated):
    """There is no session, or it can't be continued: log in again."""


class PermissionDenied(ChatError):
    """The caller may not do this."""


class NotFound(ChatError):
    """What the request names does not exist."""


class AlreadyExists(ChatError):
    """The name is taken."""


class FailedPrecondition(ChatError):
    """The state of things does not allow this."""


class OutOfRange(ChatError):
    """A place that is named lies outside of what there is."""


class DataLoss(ChatError):
    """Bytes are not those that they should be; what came of them is not to be used."""


class Aborted(ChatError):
    """Somebody else changed the same thing at the same moment: try again."""


class ResourceExhausted(ChatError):
    """Too many calls: try again after `retry_after`."""


class Unavailable(ChatError):
    """The server can't be reached or can't serve now, and went on so for the call's whole timeout."""


class DeadlineExceeded(ChatError):
    """The answer did not come in time."""
