"""From the client's errors to the port's."""

from collections.abc import Iterator
from contextlib import contextmanager
from xml.etree.ElementTree import ParseError

from minio.error import InvalidResponseError, MinioException, S3Error, ServerError
from urllib3.exceptions import HTTPError

from chat4all_core.domain.errors import Reason, UnavailableError
from chat4all_core.ports.object_store import ObjectContradictionError

_RETRY_AFTER = 1.0
_RETRY_AFTER_FULL = 30.0

_CONTRADICTIONS = frozenset({"EntityTooSmall", "InvalidPart", "InvalidPartOrder", "InvalidRange", "NoSuchKey"})
_FULL = frozenset({"XMinioStorageFull", "XMinioAdminBucketQuotaExceeded", "QuotaExceeded", "InsufficientStorage"})
# Those that do not come with a status of 500 or more; the first four say that bytes changed or were lost on the way.
_PASSING = frozenset(
    {
        "BadDigest",
        "IncompleteBody",
        "XAmzContentChecksumMismatch",
        "XAmzContentSHA256Mismatch",
        "OperationAborted",
        "RequestTimeout",
        "SlowDown",
        "TooManyRequests",
    }
)
_INSUFFICIENT_STORAGE = 507


class UploadGoneError(ObjectContradictionError):
    """The store does not know the upload (any more)."""


class S3RefusedError(Exception):
    """The store refused a request that it could serve: the account, its rights, the bucket or the clock are wrong."""


@contextmanager
def translated_errors() -> Iterator[None]:
    """Failures of the client as UnavailableError, ObjectContradictionError or S3RefusedError."""
    try:
        yield
    except S3Error as error:
        raise _translated(error) from error
    except (HTTPError, OSError, ParseError, InvalidResponseError, ServerError) as error:
        # The last three are answers that are not S3's, such as those of a proxy before it.
        raise unavailable(f"{type(error).__name__}: {error}"[:300]) from error
    except MinioException as error:
        raise S3RefusedError(f"{type(error).__name__}: {error}"[:300]) from error


def unavailable(why: str) -> UnavailableError:
    """The error for a store that can't be had now."""
    return UnavailableError(Reason.UNAVAILABLE, f"the store can't serve now ({why})", _RETRY_AFTER)


def _translated(error: S3Error) -> Exception:
    code, status = error.code or "", error.response.status
    why = f"{code} for {error.object_name or error.resource}: {error.message}"[:300]
    if code in _FULL or status == _INSUFFICIENT_STORAGE:
        return UnavailableError(Reason.STORAGE_FULL, "the store has no room left", _RETRY_AFTER_FULL)
    if code == "NoSuchUpload":
        return UploadGoneError(why)
    if code in _CONTRADICTIONS:
        return ObjectContradictionError(why)
    if code in _PASSING or status >= 500:
        return unavailable(why)
    return S3RefusedError(why)
