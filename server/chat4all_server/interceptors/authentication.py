"""Finds out who calls."""

from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

from chat4all_core.domain.errors import Reason, UnauthenticatedError
from chat4all_core.ports.token_issuer import AccessToken, TokenIssuer
from chat4all_server.interceptors.interceptor import Behavior, Context, Interceptor, Method, header

HEADER = "authorization"
SCHEME = "bearer"

_caller: ContextVar[AccessToken] = ContextVar("caller")


def caller() -> AccessToken:
    """Who calls. Only within a call of a method that is not public."""
    return _caller.get()


class Authentication(Interceptor):
    """Refuses calls without a valid access token, but for public methods."""

    def __init__(self, issuer: TokenIssuer, public_methods: Iterable[str]) -> None:
        """`public_methods`: /package.Service/Method of one method, or /package.Service/ of all of a service."""
        super().__init__()
        self._issuer = issuer
        self._public_methods = frozenset(public_methods)

    def wrap(self, method: Method, behavior: Behavior) -> Behavior:
        """The behavior, with `caller` set."""
        if method.path in self._public_methods or method.service in self._public_methods:
            return behavior

        async def authenticated(request: Any, context: Context) -> Any:
            # Never reset: grpc serves each call in a task, and so in a context, of its own.
            _caller.set(self._issuer.verify(_bearer_token(context)))
            return await behavior(request, context)

        return authenticated


def _bearer_token(context: Context) -> str:
    scheme, _, token = (header(context, HEADER) or "").partition(" ")
    if scheme.lower() != SCHEME or not token:
        raise UnauthenticatedError(
            Reason.TOKEN_MISSING, "the call needs the header authorization: Bearer <access token>"
        )
    return token.strip()
