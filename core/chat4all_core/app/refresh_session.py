"""Use cases: go on with a session, or end it."""

from chat4all_core.app.tokens import TokenPolicy, Tokens, hash_refresh_token
from chat4all_core.domain.errors import Reason, UnauthenticatedError
from chat4all_core.ports.refresh_token_store import RefreshTokenStore, Rotation
from chat4all_core.ports.user_store import UserStore


class RefreshSession:
    """Exchanges refresh tokens."""

    def __init__(self, *, users: UserStore, refresh_tokens: RefreshTokenStore, policy: TokenPolicy) -> None:
        self._users = users
        self._refresh_tokens = refresh_tokens
        self._policy = policy

    async def __call__(self, refresh_token: str) -> Tokens:
        """Use a refresh token, once.

        Raises:
            UnauthenticatedError: REFRESH_TOKEN_INVALID; when it had been used before, its family is revoked.
        """
        successor = self._policy.new_secret()
        rotation, family = await self._refresh_tokens.rotate(
            hash_refresh_token(refresh_token),
            hash_refresh_token(successor),
            self._policy.clock(),
            self._policy.refresh_expiry(),
        )
        # Who has become an admin, or is none any more, sees it here.
        user = await self._users.get(family.user_id) if family else None
        if user is None:
            used = rotation is Rotation.REUSED
            raise UnauthenticatedError(
                Reason.REFRESH_TOKEN_INVALID,
                "the refresh token was used before: log in again" if used else "the refresh token is not valid",
            )
        return self._policy.tokens(user, successor)


class RevokeSession:
    """Ends sessions."""

    def __init__(self, *, refresh_tokens: RefreshTokenStore) -> None:
        self._refresh_tokens = refresh_tokens

    async def __call__(self, refresh_token: str) -> None:
        """Revoke a refresh token and its family; nothing happens when it is unknown."""
        await self._refresh_tokens.revoke(hash_refresh_token(refresh_token))
