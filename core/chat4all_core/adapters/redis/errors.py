"""From the driver's errors to the platform's."""

import ssl
from collections.abc import Iterator

from redis import exceptions

from chat4all_core.domain.errors import Reason, UnavailableError

_RETRY_AFTER = 0.5  # seconds: about as long as Redis takes to restart; a failover takes a few of them
_REFUSALS = (exceptions.AuthenticationError, exceptions.AuthorizationError, exceptions.NoPermissionError)
_NO_RIGHT = "can't run this command"
"""As a script says that meets a command which its user may not use."""
# How answers begin that another moment, or another node, would not give.
_PASSING = (
    "BUSY ",
    "CLUSTERDOWN",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "NOREPLICAS",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "UNBLOCKED",
)
_PASSING_KINDS = (
    OSError,
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.ClusterError,
    exceptions.RedisClusterException,
    exceptions.OutOfMemoryError,
    exceptions.ReadOnlyError,
)


class RedisRefusedError(Exception):
    """Redis refused a request that it could serve: the account's rights, the version or the data are wrong."""


def platform_error(error: BaseException) -> Exception:
    """What to raise in place of an error of the driver: UnavailableError, also when it is unknown whether a write was
    done, or RedisRefusedError."""
    brief = f"{type(error).__name__}: {error}"[:500]
    return unavailable(brief) if _is_passing(error) else RedisRefusedError(brief)


def start_error(error: Exception) -> Exception:
    """For an error of this module's that was met at the first connection: one that lets nobody in is told from one that
    is away, and the setting is named."""
    for cause in _causes(error):
        if isinstance(cause, _REFUSALS) or _NO_RIGHT in str(cause):
            return RedisRefusedError(f"CHAT4ALL_REDIS_URL, its user and password: {cause}")
        if isinstance(cause, (ssl.SSLError, FileNotFoundError)):
            return RedisRefusedError(f"CHAT4ALL_REDIS_TLS_CA_FILE (or CERT_FILE, KEY_FILE): {cause}")
    return error


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def unavailable(why: str) -> UnavailableError:
    """The error for streams and limits that can't be had now."""
    return UnavailableError(Reason.UNAVAILABLE, f"Redis can't serve now ({why})", _RETRY_AFTER)


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, _REFUSALS):
        return False
    # Some of these answers have a class of their own in the driver, some have none, and the class drops the word.
    return isinstance(error, _PASSING_KINDS) or str(error).startswith(_PASSING)
