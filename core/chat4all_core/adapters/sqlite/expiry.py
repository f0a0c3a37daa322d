"""Rows that are kept for a while and then deleted, a few at a time."""

import sqlite3
from functools import partial

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.domain.timestamp import SECOND, Timestamp

KEPT = 40 * 24 * 3_600 * SECOND
"""Longer than any channel reports on a message (30 days)."""

_TABLES = ("delivery_ledger", "provider_messages", "parked_reports", "dead_letters")
_CHUNK = 500


async def delete_expired(store: Database, now: Timestamp) -> None:
    """Delete all rows whose `expires_at` has passed."""
    for table in _TABLES:
        while await store.write(partial(_delete_some, table=table, now=now)):
            pass


def _delete_some(connection: sqlite3.Connection, table: str, now: Timestamp) -> bool:
    """Whether there may be more to delete."""
    expired = connection.execute(
        f"SELECT expires_at FROM {table} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?", (now, _CHUNK)
    ).fetchall()
    if expired:
        connection.execute(f"DELETE FROM {table} WHERE expires_at <= ?", (expired[-1][0],))
    return len(expired) == _CHUNK
