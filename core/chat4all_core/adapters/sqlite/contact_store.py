"""People on channels, on SQLite."""

import sqlite3
from typing import Any

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.domain.channel import AccountId, ChannelAddress
from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.contact_store import Contact


class SqliteContactStore:
    """Implements ContactStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, address: ChannelAddress) -> Contact | None:
        """See ContactStore.get."""

        def select(connection: sqlite3.Connection) -> Any:
            return connection.execute(
                "SELECT account, conversation_id, display_name, last_received_at FROM contacts"
                " WHERE channel = ? AND address = ?",
                (address.channel, address.address),
            ).fetchone()

        row = await self._database.read(select)
        if row is None:
            return None
        account, conversation_id, name, at = row
        return Contact(address, account, conversation_id, name, None if at is None else Timestamp(at))

    async def received(self, address: ChannelAddress, account: AccountId, name: str, at: Timestamp) -> None:
        """See ContactStore.received."""
        row = (address.channel, address.address, account, name, at)
        await self._database.write(
            lambda connection: connection.execute(
                "INSERT INTO contacts (channel, address, account, display_name, last_received_at)"
                " VALUES (?, ?, ?, ?, ?) ON CONFLICT (channel, address) DO UPDATE SET account = excluded.account,"
                " last_received_at = excluded.last_received_at, display_name = CASE excluded.display_name"
                " WHEN '' THEN contacts.display_name ELSE excluded.display_name END"
                " WHERE contacts.last_received_at IS NULL OR contacts.last_received_at <= excluded.last_received_at",
                row,
            )
        )

    async def set_conversation(self, address: ChannelAddress, conversation_id: ConversationId) -> None:
        """See ContactStore.set_conversation."""
        row = (address.channel, address.address, conversation_id)
        await self._database.write(
            lambda connection: connection.execute(
                "INSERT INTO contacts (channel, address, conversation_id) VALUES (?, ?, ?)"
                " ON CONFLICT (channel, address) DO UPDATE SET conversation_id = excluded.conversation_id",
                row,
            )
        )
