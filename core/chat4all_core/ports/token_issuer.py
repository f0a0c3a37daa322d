"""Access tokens: signed, short-lived proofs of who calls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chat4all_core.domain.ids import UserId
from chat4all_core.domain.timestamp import Timestamp


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a valid token says."""

    user_id: UserId
    expires_at: Timestamp
    is_admin: bool = False
    """Whether the user operated the platform when it was issued."""


class TokenIssuer(Protocol):
    """Signs and checks tokens."""

    lifetime: int
    """Of a new token, in seconds."""

    def issue(self, user_id: UserId, *, is_admin: bool = False) -> str:
        """A new token."""
        ...

    def verify(self, token: str) -> AccessToken:
        """What a token says.

        Raises:
            UnauthenticatedError: TOKEN_EXPIRED or TOKEN_INVALID.
        """
        ...

    def public_keys(self) -> Sequence[Mapping[str, Any]]:
        """The keys that verify tokens, as JWKs (RFC 7517). Empty for a symmetric algorithm."""
        ...
