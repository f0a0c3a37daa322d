"""Linked addresses on Cassandra.

A lightweight transaction decides whose an address is. Before that it is noted among the user's, where it stays: each
is looked up when it is read.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from chat4all_core.adapters.cassandra.query import Query, is_key
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.identity_store import Identity

_CQL = {
    "note": "INSERT INTO identities_by_user (user_id, channel, address) VALUES (?, ?, ?)",
    "noted": "SELECT channel, address FROM identities_by_user WHERE user_id = ?",
    "get": "SELECT user_id, channel, address, linked_at FROM identities WHERE channel = ? AND address = ?",
}
_CONDITIONAL_CQL = {
    "link": "INSERT INTO identities (channel, address, user_id, linked_at) VALUES (?, ?, ?, ?) IF NOT EXISTS",
    "unlink": "DELETE FROM identities WHERE channel = ? AND address = ? IF user_id = ?",
}


class CassandraIdentityStore:
    """Implements IdentityStore."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._queries = queries

    @classmethod
    async def open(cls, session: Session) -> "CassandraIdentityStore":
        """With its statements prepared."""
        return cls(session, await session.prepare(_CQL) | await session.prepare(_CONDITIONAL_CQL, idempotent=False))

    async def link(self, identity: Identity) -> Identity:
        """See IdentityStore.link. After UnavailableError it may be linked; the same call again tells."""
        key = _key(identity.address)
        await self._session.execute(self._queries["note"].bind(identity.user_id, *key))
        outcome = await self._session.execute_conditional(
            self._queries["link"].bind(*key, identity.user_id, identity.linked_at)
        )
        if outcome.applied:
            return identity
        return Identity(outcome.values["user_id"], identity.address, Timestamp(outcome.values["linked_at"]))

    async def unlink(self, user_id: UserId, address: ChannelAddress) -> bool:
        """See IdentityStore.unlink."""
        if not is_key(address.address):
            return False
        outcome = await self._session.execute_conditional(self._queries["unlink"].bind(*_key(address), user_id))
        return outcome.applied or (outcome.uncertain and outcome.values.get("user_id") is None)

    async def owner(self, address: ChannelAddress) -> UserId | None:
        """See IdentityStore.owner."""
        found = await self._identities([_key(address)] if is_key(address.address) else [])
        return found[0].user_id if found else None

    async def identities_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, Sequence[Identity]]:
        """See IdentityStore.identities_of."""
        users = [user_id for user_id in user_ids if is_key(user_id)]
        noted = await self._session.execute_all(self._queries["noted"].bind(user_id) for user_id in users)
        wanted = [(user_id, (row[0], row[1])) for user_id, rows in zip(users, noted, strict=True) for row in rows]
        identities = {i.address: i for i in await self._identities({key for _, key in wanted})}
        found: dict[UserId, list[Identity]] = {}
        for user_id, (channel, address) in sorted(wanted):
            identity = identities.get(ChannelAddress(channel, address))
            if identity is not None and identity.user_id == user_id:
                found.setdefault(user_id, []).append(identity)
        return found

    async def _identities(self, keys: Iterable[tuple[ChannelName, str]]) -> list[Identity]:
        answers = await self._session.execute_all(self._queries["get"].bind(*key) for key in keys)
        # A partition whose row was deleted may still be there without values.
        return [_identity(row) for rows in answers for row in rows if row[0] is not None]


def _key(address: ChannelAddress) -> tuple[ChannelName, str]:
    return address.channel, address.address


def _identity(row: Sequence[Any]) -> Identity:
    user_id, channel, address, linked_at = row
    return Identity(user_id, ChannelAddress(channel, address), Timestamp(linked_at))
