"""Codes that were sent to addresses, on SQLite."""

import sqlite3
from typing import Any

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.domain.channel import ChannelAddress
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.link_code_store import LinkCode

_ONE = "user_id = ? AND channel = ? AND address = ?"


class SqliteLinkCodeStore:
    """Implements LinkCodeStore. Keeping a code deletes those that have expired."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def put(self, code: LinkCode, tries: int) -> None:
        """See LinkCodeStore.put."""
        now = self._clock()

        def write(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM link_codes WHERE expires_at <= ?", (now,))
            connection.execute(
                "INSERT OR REPLACE INTO link_codes (user_id, channel, address, code_hash, expires_at, tries_left)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (*_key(code.user_id, code.address), code.code_hash, code.expires_at, tries),
            )

        await self._database.write(write)

    async def take_try(self, user_id: UserId, address: ChannelAddress, now: Timestamp) -> bytes | None:
        """See LinkCodeStore.take_try."""

        def write(connection: sqlite3.Connection) -> Any:
            return connection.execute(
                f"UPDATE link_codes SET tries_left = tries_left - 1 WHERE {_ONE}"
                " AND expires_at > ? AND tries_left > 0 RETURNING code_hash",
                (*_key(user_id, address), now),
            ).fetchone()

        row = await self._database.write(write)
        return None if row is None else bytes(row[0])

    async def forget(self, user_id: UserId, address: ChannelAddress) -> None:
        """See LinkCodeStore.forget."""
        await self._database.write(
            lambda connection: connection.execute(f"DELETE FROM link_codes WHERE {_ONE}", _key(user_id, address))
        )


def _key(user_id: UserId, address: ChannelAddress) -> tuple[str, str, str]:
    return user_id, address.channel, address.address
