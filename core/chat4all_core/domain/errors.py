"""Every way in which a request can be refused.

A use case raises one of these; the server alone turns them into gRPC statuses (one table, in
`chat4all_server.errors`). `Reason` mirrors `chat4all.errors.v1.ErrorReason`, where each is described.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a call was refused; the value is the name in the contract."""

    INTERNAL_ERROR = "INTERNAL_ERROR"
    MALFORMED_REQUEST = "MALFORMED_REQUEST"
    FIELD_INVALID = "FIELD_INVALID"
    PAGE_TOKEN_INVALID = "PAGE_TOKEN_INVALID"
    CURSOR_INVALID = "CURSOR_INVALID"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    UNAVAILABLE = "UNAVAILABLE"
    RATE_LIMITED = "RATE_LIMITED"
    METHOD_NOT_FOUND = "METHOD_NOT_FOUND"

    TOKEN_MISSING = "TOKEN_MISSING"
    TOKEN_INVALID = "TOKEN_INVALID"
    TOKEN_EXPIRED = "TOKEN_EXPIRED"
    REFRESH_TOKEN_INVALID = "REFRESH_TOKEN_INVALID"
    CREDENTIALS_INVALID = "CREDENTIALS_INVALID"

    USERNAME_TAKEN = "USERNAME_TAKEN"
    USER_NOT_FOUND = "USER_NOT_FOUND"
    IDENTITY_TAKEN = "IDENTITY_TAKEN"
    IDENTITY_NOT_FOUND = "IDENTITY_NOT_FOUND"
    LINK_CODE_INVALID = "LINK_CODE_INVALID"

    ADMIN_ONLY = "ADMIN_ONLY"
    DEAD_LETTER_NOT_FOUND = "DEAD_LETTER_NOT_FOUND"
    DEAD_LETTER_UNREADABLE = "DEAD_LETTER_UNREADABLE"

    CONVERSATION_NOT_FOUND = "CONVERSATION_NOT_FOUND"
    NOT_A_PARTICIPANT = "NOT_A_PARTICIPANT"
    NOT_AN_ADMIN = "NOT_AN_ADMIN"
    PARTICIPANT_NOT_FOUND = "PARTICIPANT_NOT_FOUND"
    CREATOR_PROTECTED = "CREATOR_PROTECTED"
    DIRECT_IS_FIXED = "DIRECT_IS_FIXED"
    TOO_MANY_PARTICIPANTS = "TOO_MANY_PARTICIPANTS"
    CONVERSATION_CHANGED = "CONVERSATION_CHANGED"

    MESSAGE_NOT_FOUND = "MESSAGE_NOT_FOUND"
    NOT_A_RECIPIENT = "NOT_A_RECIPIENT"

    FILE_NOT_FOUND = "FILE_NOT_FOUND"
    FILE_NOT_AVAILABLE = "FILE_NOT_AVAILABLE"
    NOT_FILE_OWNER = "NOT_FILE_OWNER"
    RANGE_INVALID = "RANGE_INVALID"
    UPLOAD_NOT_FOUND = "UPLOAD_NOT_FOUND"
    UPLOAD_CLOSED = "UPLOAD_CLOSED"
    UPLOAD_INCOMPLETE = "UPLOAD_INCOMPLETE"
    UPLOAD_TAKEN_OVER = "UPLOAD_TAKEN_OVER"
    UPLOAD_IS_DIRECT = "UPLOAD_IS_DIRECT"
    OFFSET_BEYOND_COMMITTED = "OFFSET_BEYOND_COMMITTED"
    CHUNK_CORRUPT = "CHUNK_CORRUPT"
    SIZE_EXCEEDED = "SIZE_EXCEEDED"
    SHA256_MISMATCH = "SHA256_MISMATCH"
    MIME_TYPE_MISMATCH = "MIME_TYPE_MISMATCH"
    QUOTA_EXCEEDED = "QUOTA_EXCEEDED"
    TOO_MANY_UPLOADS = "TOO_MANY_UPLOADS"
    STORAGE_FULL = "STORAGE_FULL"
    LINK_INVALID = "LINK_INVALID"

    CHANNEL_NOT_FOUND = "CHANNEL_NOT_FOUND"
    WEBHOOK_NOT_AUTHENTIC = "WEBHOOK_NOT_AUTHENTIC"
    WEBHOOK_MALFORMED = "WEBHOOK_MALFORMED"


@dataclass(frozen=True, slots=True)
class Violation:
    """One field that has a value that is not allowed."""

    field: str
    """Path of the field in the request, as the contract names it."""
    description: str
    """What is wrong and what is allowed."""


class RefusedError(Exception):
    """A request was refused for a reason that its sender can know."""

    def __init__(self, reason: Reason, message: str, metadata: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.metadata = dict(metadata or {})


class InvalidArgumentError(RefusedError):
    """The request itself is wrong, whatever the state of the platform."""

    def __init__(self, message: str, *violations: Violation, reason: Reason = Reason.FIELD_INVALID) -> None:
        super().__init__(reason, message)
        self.violations = violations


class UnauthenticatedError(RefusedError):
    """The caller did not prove who they are."""


class PermissionDeniedError(RefusedError):
    """The caller is known and may not do this."""


class NotFoundError(RefusedError):
    """What the request names does not exist."""


class AlreadyExistsError(RefusedError):
    """What the request would make exists."""


class FailedPreconditionError(RefusedError):
    """The state of what the request names does not allow it; the same call again won't help."""


class OutOfRangeError(RefusedError):
    """An offset lies beyond what there is."""


class QuotaExceededError(RefusedError):
    """The caller has used up what it may use, and waiting does not help."""


class AbortedError(RefusedError):
    """Somebody else was quicker; the whole operation may be tried again."""


class RetryableError(RefusedError):
    """Waiting may help."""

    def __init__(self, reason: Reason, message: str, retry_after: float) -> None:
        super().__init__(reason, message)
        self.retry_after = retry_after
        """Seconds to wait before the next try."""


class UnavailableError(RetryableError):
    """The platform, or an engine behind it, can't serve now."""


class ResourceExhaustedError(RetryableError):
    """The caller has used up what it may use for now."""


def invalid_field(field: str, description: str) -> InvalidArgumentError:
    """The error for a request with one wrong field."""
    return InvalidArgumentError(f"{field}: {description}", Violation(field, description))
