"""From the driver's errors to the platform's."""

import ssl

import cassandra
from cassandra import protocol
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionException

from chat4all_core.domain.errors import Reason, UnavailableError

_RETRY_AFTER = 0.5  # seconds: about as long as the driver takes to notice that a node is back
_CAS_WRITE_UNKNOWN = 0x1700  # of the native protocol, version 5
_OF_THE_DRIVER = (cassandra.DriverException, protocol.ErrorMessage, NoHostAvailable, ConnectionException)
_REFUSALS = (
    cassandra.RequestValidationException,
    protocol.RequestValidationException,
    cassandra.AuthenticationFailed,
    cassandra.UnsupportedOperation,
)


class QueryRefusedError(Exception):
    """Cassandra refused a request that it could serve: the program, the schema or the account's rights are wrong."""


class ContentionError(UnavailableError):
    """Nodes answered that they could not agree in time. It is unknown whether a write was done, or will be."""


def platform_error(error: Exception) -> Exception:
    """What to raise in place of an error of the driver: UnavailableError, also when it is unknown whether a write was
    done, or QueryRefusedError. Any other error is given back."""
    if not isinstance(error, _OF_THE_DRIVER):
        return error
    brief = f"{type(error).__name__}: {error}"[:500]
    if isinstance(error, _REFUSALS):
        return QueryRefusedError(brief)
    if isinstance(error, cassandra.Timeout) or getattr(error, "code", None) == _CAS_WRITE_UNKNOWN:
        return ContentionError(Reason.UNAVAILABLE, f"Cassandra's nodes do not agree ({brief})", _RETRY_AFTER)
    return unavailable(brief)


def start_error(error: Exception) -> Exception:
    """The same for a session that can't be opened: nodes that let nobody in are told from nodes that are away, and the
    setting is named."""
    causes = list(error.errors.values()) if isinstance(error, NoHostAvailable) else [error]
    for cause in causes:
        if isinstance(cause, cassandra.AuthenticationFailed):
            return QueryRefusedError(f"CHAT4ALL_CASSANDRA_USERNAME and PASSWORD: {cause}")
        # Where it has tried several addresses, the driver keeps only the text of the last error.
        if isinstance(cause, (ssl.SSLError, FileNotFoundError)) or "[SSL: " in str(cause):
            return QueryRefusedError(f"CHAT4ALL_CASSANDRA_TLS_CA_FILE (or CERT_FILE, KEY_FILE): {cause}")
    return platform_error(error)


def unavailable(why: str) -> UnavailableError:
    """The error for stores that can't serve now."""
    return UnavailableError(Reason.UNAVAILABLE, f"Cassandra can't serve now ({why})", _RETRY_AFTER)
