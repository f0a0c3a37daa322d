"""Tokens: what proves a caller (access), and what gets the next such proof (refresh)."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.domain.user import User
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.token_issuer import TokenIssuer


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a client gets when it logs in or refreshes."""

    access_token: str
    expires_in: int
    """Seconds that the access token is valid for."""
    refresh_token: str


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """How tokens are made."""

    issuer: TokenIssuer
    clock: Clock
    new_secret: Callable[[], str]
    """Text with at least 256 random bits."""
    refresh_lifetime: int
    """Seconds."""

    def tokens(self, user: User, refresh_token: str) -> Tokens:
        """A new access token to go with a refresh token."""
        return Tokens(self.issuer.issue(user.user_id, is_admin=user.is_admin), self.issuer.lifetime, refresh_token)

    def refresh_expiry(self) -> Timestamp:
        """When a refresh token made now expires."""
        return Timestamp(self.clock() + self.refresh_lifetime * SECOND)


def hash_refresh_token(token: str) -> bytes:
    """What is stored of a refresh token. It is random, so a fast hash is enough."""
    return hashlib.sha256(token.encode()).digest()
