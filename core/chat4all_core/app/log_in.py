"""Use case: exchange a password for tokens."""

from collections.abc import Callable

from chat4all_core.app.tokens import TokenPolicy, Tokens, hash_refresh_token
from chat4all_core.domain.errors import Reason, UnauthenticatedError
from chat4all_core.ports.password_hasher import PasswordHasher
from chat4all_core.ports.refresh_token_store import RefreshTokenFamily, RefreshTokenStore
from chat4all_core.ports.user_store import UserStore


class LogIn:
    """Checks passwords and opens sessions."""

    def __init__(
        self,
        *,
        users: UserStore,
        refresh_tokens: RefreshTokenStore,
        hasher: PasswordHasher,
        policy: TokenPolicy,
        new_id: Callable[[], str],
    ) -> None:
        self._users = users
        self._refresh_tokens = refresh_tokens
        self._hasher = hasher
        self._policy = policy
        self._new_id = new_id

    async def __call__(self, username: str, password: str) -> Tokens:
        """Open a session.

        Raises:
            UnauthenticatedError: CREDENTIALS_INVALID. It takes as long whether the account exists or not.
        """
        found = await self._users.find(username)
        matches = await self._hasher.verify(found[1] if found else None, password)
        if found is None or not matches:
            raise UnauthenticatedError(Reason.CREDENTIALS_INVALID, "the username or the password is wrong")
        refresh_token = self._policy.new_secret()
        family = RefreshTokenFamily(self._new_id(), found[0].user_id)
        await self._refresh_tokens.add(family, hash_refresh_token(refresh_token), self._policy.refresh_expiry())
        return self._policy.tokens(found[0], refresh_token)
