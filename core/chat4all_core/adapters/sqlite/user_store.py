"""Accounts on SQLite."""

import sqlite3
from collections.abc import Collection
from typing import Any

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.rows import json_array
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.user import User, username_key

_COLUMNS = "user_id, username, email, created_at, is_admin, password_hash"


class SqliteUserStore:
    """Implements UserStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, user: User, password_hash: str) -> bool:
        """See UserStore.create."""
        row = (
            user.user_id,
            user.username,
            user.email,
            user.created_at,
            user.is_admin,
            password_hash,
            username_key(user.username),
        )

        def insert(connection: sqlite3.Connection) -> bool:
            created = connection.execute(
                f"INSERT INTO users ({_COLUMNS}, username_key) VALUES (?, ?, ?, ?, ?, ?, ?)"
                " ON CONFLICT (username_key) DO NOTHING",
                row,
            )
            return created.rowcount > 0

        return await self._database.write(insert)

    async def get(self, user_id: UserId) -> User | None:
        """See UserStore.get."""
        row = await self._find("user_id", user_id)
        return None if row is None else _from_row(row)

    async def find(self, username: str) -> tuple[User, str] | None:
        """See UserStore.find."""
        row = await self._find("username_key", username_key(username))
        return None if row is None else (_from_row(row), row[5])

    async def set_admin(self, username: str, is_admin: bool) -> User | None:
        """See UserStore.set_admin."""
        await self._database.write(
            lambda connection: connection.execute(
                "UPDATE users SET is_admin = ? WHERE username_key = ?", (is_admin, username_key(username))
            )
        )
        found = await self.find(username)
        return found[0] if found else None

    async def existing(self, user_ids: Collection[UserId]) -> Collection[UserId]:
        """See UserStore.existing."""
        wanted = json_array(user_ids)
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT user_id FROM users WHERE user_id IN (SELECT value FROM json_each(?))", (wanted,)
            ).fetchall()
        )
        return {user_id for (user_id,) in rows}

    async def _find(self, column: str, value: str) -> tuple[Any, ...] | None:
        def select(connection: sqlite3.Connection) -> tuple[Any, ...] | None:
            row: tuple[Any, ...] | None = connection.execute(
                f"SELECT {_COLUMNS} FROM users WHERE {column} = ?", (value,)
            ).fetchone()
            return row

        return await self._database.read(select)


def _from_row(row: tuple[Any, ...]) -> User:
    user_id, username, email, created_at, is_admin, _ = row
    return User(user_id, username, email, Timestamp(created_at), bool(is_admin))
