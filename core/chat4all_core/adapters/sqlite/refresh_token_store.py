"""Refresh tokens on SQLite."""

import sqlite3

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.refresh_token_store import RefreshTokenFamily, Rotation

_PURGED_AT_ONCE = 100  # more than one call adds, so that what has expired never piles up


class SqliteRefreshTokenStore:
    """Implements RefreshTokenStore. Every call that adds a token deletes some that have expired."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def add(self, family: RefreshTokenFamily, token_hash: bytes, expires_at: Timestamp) -> None:
        """See RefreshTokenStore.add."""
        now = self._clock()

        def write(connection: sqlite3.Connection) -> None:
            _purge(connection, now)
            _insert(connection, family, token_hash, expires_at)

        await self._database.write(write)

    async def rotate(
        self, token_hash: bytes, successor_hash: bytes, now: Timestamp, expires_at: Timestamp
    ) -> tuple[Rotation, RefreshTokenFamily | None]:
        """See RefreshTokenStore.rotate."""

        def write(connection: sqlite3.Connection) -> tuple[Rotation, RefreshTokenFamily | None]:
            row = connection.execute(
                "SELECT family_id, user_id, used FROM refresh_tokens WHERE token_hash = ? AND expires_at > ?",
                (token_hash, now),
            ).fetchone()
            if row is None:
                return Rotation.UNKNOWN, None
            family_id, user_id, used = row
            if used:
                connection.execute("DELETE FROM refresh_tokens WHERE family_id = ?", (family_id,))
                return Rotation.REUSED, None
            _purge(connection, now)
            family = RefreshTokenFamily(family_id, user_id)
            connection.execute("UPDATE refresh_tokens SET used = 1 WHERE token_hash = ?", (token_hash,))
            _insert(connection, family, successor_hash, expires_at)
            return Rotation.ROTATED, family

        return await self._database.write(write)

    async def revoke(self, token_hash: bytes) -> None:
        """See RefreshTokenStore.revoke."""
        await self._database.write(
            lambda connection: connection.execute(
                "DELETE FROM refresh_tokens WHERE family_id ="
                " (SELECT family_id FROM refresh_tokens WHERE token_hash = ?)",
                (token_hash,),
            )
        )


def _insert(
    connection: sqlite3.Connection, family: RefreshTokenFamily, token_hash: bytes, expires_at: Timestamp
) -> None:
    connection.execute(
        "INSERT INTO refresh_tokens (token_hash, family_id, user_id, expires_at, used) VALUES (?, ?, ?, ?, 0)",
        (token_hash, family.family_id, family.user_id, expires_at),
    )


def _purge(connection: sqlite3.Connection, now: Timestamp) -> None:
    connection.execute(
        "DELETE FROM refresh_tokens WHERE token_hash IN"
        " (SELECT token_hash FROM refresh_tokens WHERE expires_at <= ? LIMIT ?)",
        (now, _PURGED_AT_ONCE),
    )
