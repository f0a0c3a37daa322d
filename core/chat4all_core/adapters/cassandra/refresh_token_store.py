"""Refresh tokens on Cassandra.

A family has one token that can be used, and a lightweight transaction passes that on. Any other token that leads to a
family was used before.
"""

from collections.abc import Mapping

from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.refresh_token_store import RefreshTokenFamily, Rotation

_KEPT_LONGER = 86_400  # seconds; clocks decide when a token has expired, the rows only have to be there until then
_LONGEST = 20 * 365 * 86_400  # seconds; Cassandra takes no more

_CQL = {
    "add_token": "INSERT INTO refresh_tokens (token_hash, family_id, user_id, expires_at) VALUES (?, ?, ?, ?)"
    " USING TTL ?",
    "token": "SELECT family_id, user_id, expires_at FROM refresh_tokens WHERE token_hash = ?",
}
_CONDITIONAL_CQL = {
    "add_family": "INSERT INTO refresh_token_families (family_id, token_hash) VALUES (?, ?) IF NOT EXISTS USING TTL ?",
    "rotate": "UPDATE refresh_token_families USING TTL ? SET token_hash = ? WHERE family_id = ? IF token_hash = ?",
    "revoke": "DELETE FROM refresh_token_families WHERE family_id = ? IF EXISTS",
}


class CassandraRefreshTokenStore:
    """Implements RefreshTokenStore."""

    def __init__(self, session: Session, clock: Clock, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._clock = clock
        self._queries = queries

    @classmethod
    async def open(cls, session: Session, clock: Clock) -> "CassandraRefreshTokenStore":
        """With its statements prepared."""
        conditional = await session.prepare(_CONDITIONAL_CQL, idempotent=False)
        return cls(session, clock, await session.prepare(_CQL) | conditional)

    async def add(self, family: RefreshTokenFamily, token_hash: bytes, expires_at: Timestamp) -> None:
        """See RefreshTokenStore.add."""
        await self._add_token(family, token_hash, expires_at)
        await self._session.execute_conditional(
            self._queries["add_family"].bind(family.family_id, token_hash, self._seconds_until(expires_at))
        )

    async def rotate(
        self, token_hash: bytes, successor_hash: bytes, now: Timestamp, expires_at: Timestamp
    ) -> tuple[Rotation, RefreshTokenFamily | None]:
        """See RefreshTokenStore.rotate."""
        found = await self._token(token_hash)
        if found is None or found[1] <= now:
            return Rotation.UNKNOWN, None
        family = found[0]
        # Before it can be used, so that whoever has it is always known; until then it is good for nothing.
        await self._add_token(family, successor_hash, expires_at)
        outcome = await self._session.execute_conditional(
            self._queries["rotate"].bind(self._seconds_until(expires_at), successor_hash, family.family_id, token_hash)
        )
        good = outcome.values.get("token_hash")
        # The successor is there already when an earlier try, whose outcome was not known, was applied.
        if outcome.applied or good == successor_hash:
            return Rotation.ROTATED, family
        if good is None:
            return Rotation.UNKNOWN, None
        await self._revoke(family)
        return Rotation.REUSED, None

    async def revoke(self, token_hash: bytes) -> None:
        """See RefreshTokenStore.revoke."""
        found = await self._token(token_hash)
        if found is not None:
            await self._revoke(found[0])

    async def _token(self, token_hash: bytes) -> tuple[RefreshTokenFamily, int] | None:
        """The family of a token, and when it expires."""
        rows = await self._session.execute(self._queries["token"].bind(token_hash))
        if not rows:
            return None
        family_id, user_id, expires_at = rows[0]
        return RefreshTokenFamily(family_id, user_id), expires_at

    async def _add_token(self, family: RefreshTokenFamily, token_hash: bytes, expires_at: Timestamp) -> None:
        await self._session.execute(
            self._queries["add_token"].bind(
                token_hash, family.family_id, family.user_id, expires_at, self._seconds_until(expires_at)
            )
        )

    async def _revoke(self, family: RefreshTokenFamily) -> None:
        await self._session.execute_conditional(self._queries["revoke"].bind(family.family_id))

    def _seconds_until(self, expires_at: Timestamp) -> int:
        return min(max((expires_at - self._clock()) // SECOND, 0) + _KEPT_LONGER, _LONGEST)
