"""Codes that were sent to addresses, on Cassandra."""

from collections.abc import Mapping
from typing import Any

from chat4all_core.adapters.cassandra.errors import unavailable
from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.channel import ChannelAddress
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.link_code_store import LinkCode

_KEPT_LONGER = 86_400  # seconds; clocks decide when a code has expired, the row only has to be there until then
_MAX_OVERTAKEN = 10

_ONE = "WHERE user_id = ? AND channel = ? AND address = ?"
_CQL = {"get": f"SELECT code_hash, expires_at, tries_left FROM link_codes {_ONE}"}
_CONDITIONAL_CQL = {
    # The condition holds but for a repetition of itself: the row is only written by lightweight transactions.
    "put": f"UPDATE link_codes USING TTL ? SET code_hash = ?, expires_at = ?, tries_left = ? {_ONE} IF code_hash != ?",
    "take": f"UPDATE link_codes USING TTL ? SET tries_left = ? {_ONE} IF code_hash = ? AND tries_left = ?",
    "forget": f"DELETE FROM link_codes {_ONE} IF EXISTS",
}


class CassandraLinkCodeStore:
    """Implements LinkCodeStore."""

    def __init__(self, session: Session, clock: Clock, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._clock = clock
        self._queries = queries

    @classmethod
    async def open(cls, session: Session, clock: Clock) -> "CassandraLinkCodeStore":
        """With its statements prepared."""
        conditional = await session.prepare(_CONDITIONAL_CQL, idempotent=False)
        return cls(session, clock, await session.prepare(_CQL) | conditional)

    async def put(self, code: LinkCode, tries: int) -> None:
        """See LinkCodeStore.put."""
        ttl = self._seconds_until(code.expires_at)
        await self._session.execute_conditional(
            self._queries["put"].bind(
                ttl, code.code_hash, code.expires_at, tries, *_key(code.user_id, code.address), code.code_hash
            )
        )

    async def take_try(self, user_id: UserId, address: ChannelAddress, now: Timestamp) -> bytes | None:
        """See LinkCodeStore.take_try."""
        key = _key(user_id, address)
        for _ in range(_MAX_OVERTAKEN):
            rows = await self._session.execute(self._queries["get"].bind(*key))
            if not rows or not _is_good(rows[0], now):
                return None
            code_hash, expires_at, left = rows[0]
            outcome = await self._session.execute_conditional(
                self._queries["take"].bind(self._seconds_until(expires_at), left - 1, *key, code_hash, left)
            )
            if outcome.applied:
                return bytes(code_hash)
        raise unavailable("others try a code at the same moment")

    async def forget(self, user_id: UserId, address: ChannelAddress) -> None:
        """See LinkCodeStore.forget."""
        await self._session.execute_conditional(self._queries["forget"].bind(*_key(user_id, address)))

    def _seconds_until(self, expires_at: int) -> int:
        return max((expires_at - self._clock()) // SECOND, 0) + _KEPT_LONGER


def _key(user_id: UserId, address: ChannelAddress) -> tuple[str, str, str]:
    return user_id, address.channel, address.address


def _is_good(row: tuple[Any, ...], now: Timestamp) -> bool:
    code_hash, expires_at, left = row
    return code_hash is not None and expires_at is not None and expires_at > now and (left or 0) > 0
