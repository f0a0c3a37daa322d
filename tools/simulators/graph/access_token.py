"""Bearer tokens and their expiry."""

import time
from dataclasses import dataclass

from aiohttp import web

from .error import GraphError

_SCHEMES = ("bearer", "oauth")


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A token of one account."""

    value: str
    issued_at: float
    expires_at: float | None = None
    """Seconds since 1970; None never expires."""

    def is_expired(self, now: float) -> bool:
        """Whether its time is over."""
        return self.expires_at is not None and self.expires_at <= now


def token_of(request: web.Request) -> str:
    """The token that a request carries: in the header, or as access_token in the query.

    Raises:
        GraphError: there is none.
    """
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() in _SCHEMES and value.strip():
        return value.strip()
    if request.query.get("access_token"):
        return request.query["access_token"]
    raise GraphError(
        401,
        104,
        "An access token is required to request this resource.",
        headers={"WWW-Authenticate": 'OAuth "Facebook Platform" "invalid_request" "An access token is required"'},
    )


def unknown_token() -> GraphError:
    """Nobody was given this token."""
    message = "Invalid OAuth access token - Cannot parse access token"
    return GraphError(
        401, 190, message, headers={"WWW-Authenticate": f'OAuth "Facebook Platform" "invalid_token" "{message}"'}
    )


def expired_token(expired_at: float, now: float) -> GraphError:
    """The token's time is over."""
    message = (
        f"Error validating access token: Session has expired on {_date(expired_at)}. The current time is {_date(now)}."
    )
    return GraphError(
        401,
        190,
        message,
        subcode=463,
        headers={"WWW-Authenticate": f'OAuth "Facebook Platform" "invalid_token" "{message}"'},
    )


def no_permission() -> GraphError:
    """The token belongs to another account."""
    return GraphError(403, 10, "(#10) Application does not have permission for this action")


def _date(seconds: float) -> str:
    return time.strftime("%A, %d-%b-%y %H:%M:%S UTC", time.gmtime(seconds))
