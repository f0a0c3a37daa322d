"""Linked addresses on SQLite."""

import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.rows import json_array
from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.identity_store import Identity

_SELECT = "SELECT user_id, channel, address, linked_at FROM identities"


class SqliteIdentityStore:
    """Implements IdentityStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def link(self, identity: Identity) -> Identity:
        """See IdentityStore.link."""
        key = (identity.address.channel, identity.address.address)

        def write(connection: sqlite3.Connection) -> Any:
            connection.execute(
                "INSERT INTO identities (channel, address, user_id, linked_at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (channel, address) DO NOTHING",
                (*key, identity.user_id, identity.linked_at),
            )
            return connection.execute(f"{_SELECT} WHERE channel = ? AND address = ?", key).fetchone()

        return _identity(await self._database.write(write))

    async def unlink(self, user_id: UserId, address: ChannelAddress) -> bool:
        """See IdentityStore.unlink."""
        deleted = await self._database.write(
            lambda connection: (
                connection.execute(
                    "DELETE FROM identities WHERE channel = ? AND address = ? AND user_id = ?",
                    (address.channel, address.address, user_id),
                ).rowcount
            )
        )
        return deleted > 0

    async def owner(self, address: ChannelAddress) -> UserId | None:
        """See IdentityStore.owner."""
        rows = await self._rows("channel = ? AND address = ?", address.channel, address.address)
        return _identity(rows[0]).user_id if rows else None

    async def identities_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, Sequence[Identity]]:
        """See IdentityStore.identities_of."""
        found: dict[UserId, list[Identity]] = {}
        wanted = "user_id IN (SELECT value FROM json_each(?)) ORDER BY channel, address"
        for row in await self._rows(wanted, json_array(user_ids)):
            found.setdefault(row[0], []).append(_identity(row))
        return found

    async def _rows(self, where: str, *parameters: str) -> list[tuple[Any, ...]]:
        return await self._database.read(
            lambda connection: connection.execute(f"{_SELECT} WHERE {where}", parameters).fetchall()
        )


def _identity(row: tuple[Any, ...]) -> Identity:
    user_id, channel, address, linked_at = row
    return Identity(user_id, ChannelAddress(ChannelName(channel), address), Timestamp(linked_at))
