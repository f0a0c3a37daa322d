"""Who makes an HTTP request."""

from aiohttp import web

from chat4all_core.domain.errors import Reason, UnauthenticatedError
from chat4all_core.domain.ids import UserId
from chat4all_core.ports.token_issuer import TokenIssuer


def caller_of(request: web.Request, issuer: TokenIssuer) -> UserId:
    """The user whose access token came with a request.

    Raises:
        UnauthenticatedError: TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError(
            Reason.TOKEN_MISSING, "the call needs the header authorization: Bearer <access token>"
        )
    return issuer.verify(token.strip()).user_id
