"""Where refresh tokens lie: hashed, in families."""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from chat4all_core.domain.ids import UserId
from chat4all_core.domain.timestamp import Timestamp


@dataclass(frozen=True, slots=True)
class RefreshTokenFamily:
    """All the refresh tokens that came of one log-in."""

    family_id: str
    user_id: UserId


class Rotation(Enum):
    """What became of a rotation."""

    ROTATED = auto()
    UNKNOWN = auto()
    """No such token, or it expired, or its family was revoked."""
    REUSED = auto()
    """The token was used before: its whole family is revoked now."""


class RefreshTokenStore(Protocol):
    """Tokens are given as hashes; the store never sees one that could be used."""

    async def add(self, family: RefreshTokenFamily, token_hash: bytes, expires_at: Timestamp) -> None:
        """Store the first token of a family."""
        ...

    async def rotate(
        self, token_hash: bytes, successor_hash: bytes, now: Timestamp, expires_at: Timestamp
    ) -> tuple[Rotation, RefreshTokenFamily | None]:
        """Use a token and store its successor, at once: of two calls with one token, one is REUSED. The
        family is given when ROTATED."""
        ...

    async def revoke(self, token_hash: bytes) -> None:
        """Revoke the family of a token; nothing happens when it is unknown."""
        ...
