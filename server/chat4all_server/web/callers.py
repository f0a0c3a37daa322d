"""Who makes an HTTP request, and whether they may make another one."""

from aiohttp import web

from chat4all_core.domain.errors import Reason, UnauthenticatedError
from chat4all_core.domain.ids import UserId
from chat4all_core.ports.token_issuer import TokenIssuer
from chat4all_server.call_limits import FORWARDED_FOR, CallLimits


class Callers:
    """Lets requests in, by the rules that calls over gRPC are let in by."""

    def __init__(self, issuer: TokenIssuer, limits: CallLimits) -> None:
        self._issuer = issuer
        self._limits = limits

    async def admit_user(self, request: web.Request) -> UserId:
        """The user whose access token came with a request.

        Raises:
            UnauthenticatedError: TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED.
            ResourceExhaustedError: RATE_LIMITED, the address or the user.
        """
        await self.admit_anyone(request)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise UnauthenticatedError(
                Reason.TOKEN_MISSING, "the call needs the header authorization: Bearer <access token>"
            )
        user_id = self._issuer.verify(token.strip()).user_id
        await self._limits.take_of_user(user_id)
        return user_id

    async def admit_anyone(self, request: web.Request) -> None:
        """For requests that need no token.

        Raises:
            ResourceExhaustedError: RATE_LIMITED, the address.
        """
        await self._limits.take_of_address(request.headers.get(FORWARDED_FOR), request.remote or "")
