"""Access tokens as signed JWTs (RFC 7519)."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import jwt

from chat4all_core.adapters.auth.key_ring import KeyRing
from chat4all_core.domain.errors import Reason, UnauthenticatedError
from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.token_issuer import AccessToken

__all__ = ["JwtTokenIssuer"]

_CLAIMS = ("iss", "aud", "sub", "iat", "exp", "jti")
_ADMIN = "admin"
"""The scope (RFC 8693, section 4.2) of tokens of those who operate the platform."""

_MAX_TOKEN_LENGTH = 4_096  # ours have about 500 characters; this bounds the work that a stranger can ask for
_REMEMBERED = 10_000  # good tokens: a signature takes 0.1 ms to check, finding a remembered one 0.5 µs

# PyJWT looks at the time of the machine; exp and nbf are checked here, by the clock that is given. iat is
# not: it would refuse a new token on every server whose clock is a little behind that of its issuer.
_OPTIONS: "jwt.types.Options" = {
    "require": list(_CLAIMS),
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


class JwtTokenIssuer:
    """Implements `chat4all_core.ports.token_issuer.TokenIssuer`.

    A token is checked with the key that its `kid` names and by that key's algorithm, whatever its `alg` says.
    A key that is deleted from the ring's folder may go on verifying until the process ends.
    """

    def __init__(
        self,
        *,
        keys: KeyRing,
        issuer: str,
        audience: str,
        lifetime: int,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self.lifetime = lifetime
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._new_id = new_id
        self._check_signature = lru_cache(_REMEMBERED)(self._verified_claims)

    def issue(self, user_id: UserId, *, is_admin: bool = False) -> str:
        """A new token."""
        now = self._clock() // SECOND
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": user_id,
            "iat": now,
            "exp": now + self.lifetime,
            "jti": self._new_id(),
        } | ({"scope": _ADMIN} if is_admin else {})
        key = self._keys.signing_key
        return jwt.encode(claims, key.signing, key.algorithm.value, {"kid": key.key_id})

    def verify(self, token: str) -> AccessToken:
        """What a token says.

        Raises:
            UnauthenticatedError: TOKEN_EXPIRED or TOKEN_INVALID.
        """
        if len(token) > _MAX_TOKEN_LENGTH:
            raise _invalid()
        user_id, expires_at, not_before, is_admin = self._check_signature(token)
        now = self._clock()
        if now >= expires_at:
            raise UnauthenticatedError(Reason.TOKEN_EXPIRED, "the access token has expired")
        if now < not_before:
            raise _invalid()
        return AccessToken(user_id, expires_at, is_admin)

    def public_keys(self) -> Sequence[Mapping[str, Any]]:
        """The keys that verify tokens, as JWKs (RFC 7517). Empty for a symmetric algorithm."""
        return self._keys.public_keys()

    def _verified_claims(self, token: str) -> tuple[UserId, Timestamp, Timestamp, bool]:
        """The user, the expiry, the start and the scope of a token with a good signature; depends on the token
        alone."""
        try:
            key = self._keys.find(jwt.get_unverified_header(token).get("kid", ""))
            if key is None:
                raise _invalid()
            claims = jwt.decode(
                token,
                key.verifying,
                [key.algorithm.value],
                _OPTIONS,
                audience=self._audience,
                issuer=self._issuer,
            )
        # RecursionError: JSON that is nested deeply, of which PyJWT knows nothing.
        except (jwt.PyJWTError, ValueError, RecursionError) as error:
            raise _invalid() from error
        is_admin = _ADMIN in str(claims.get("scope", "")).split()
        return _user_id(claims["sub"]), _time(claims["exp"]), _time(claims.get("nbf", 0)), is_admin


def _user_id(subject: str) -> UserId:
    try:
        canonical = str(uuid.UUID(subject))
    except ValueError as error:
        raise _invalid() from error
    if canonical != subject:
        raise _invalid()
    return UserId(ParticipantId(subject))


def _time(numeric_date: object) -> Timestamp:
    if isinstance(numeric_date, bool) or not isinstance(numeric_date, int):
        raise _invalid()
    return Timestamp(numeric_date * SECOND)


def _invalid() -> UnauthenticatedError:
    # One text for all: what exactly is wrong would help only those who forge tokens.
    return UnauthenticatedError(Reason.TOKEN_INVALID, "the access token is not valid")
