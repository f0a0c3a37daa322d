"""Which delivery a channel's message is, on SQLite."""

import hashlib
import sqlite3
from collections.abc import Sequence

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.expiry import KEPT
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.provider_messages import DeliveryReference, ProviderMessage

_KEY = "channel = ? AND account = ? AND provider_id = ?"
_COLUMNS = "conversation_id, message_id, sequence, recipient, attempt, is_last"


class SqliteProviderMessages:
    """Implements ProviderMessages."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def put(self, message: ProviderMessage, reference: DeliveryReference) -> Sequence[bytes]:
        """See ProviderMessages.put."""
        row = (
            *_key(message),
            reference.conversation_id,
            reference.message_id,
            reference.sequence,
            reference.recipient,
            reference.attempt,
            int(reference.is_last),
            self._clock() + KEPT,
        )

        def run(connection: sqlite3.Connection) -> Sequence[bytes]:
            connection.execute(
                f"INSERT INTO provider_messages (channel, account, provider_id, {_COLUMNS}, expires_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                row,
            )
            parked = connection.execute(f"SELECT report FROM parked_reports WHERE {_KEY}", _key(message))
            return [report for (report,) in parked.fetchall()]

        return await self._database.write(run)

    async def find(self, message: ProviderMessage) -> DeliveryReference | None:
        """See ProviderMessages.find."""
        return await self._database.read(lambda connection: _find(connection, message))

    async def park(self, message: ProviderMessage, report: bytes) -> DeliveryReference | None:
        """See ProviderMessages.park."""
        expires_at = self._clock() + KEPT

        def run(connection: sqlite3.Connection) -> DeliveryReference | None:
            reference = _find(connection, message)
            if reference is None:
                connection.execute(
                    "INSERT INTO parked_reports (channel, account, provider_id, digest, report, expires_at)"
                    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                    (*_key(message), hashlib.sha256(report).digest(), report, expires_at),
                )
            return reference

        return await self._database.write(run)

    async def forget_parked(self, message: ProviderMessage) -> None:
        """See ProviderMessages.forget_parked."""
        await self._database.write(
            lambda connection: connection.execute(f"DELETE FROM parked_reports WHERE {_KEY}", _key(message))
        )


def _key(message: ProviderMessage) -> tuple[str, str, str]:
    return message.channel, message.account, message.provider_id


def _find(connection: sqlite3.Connection, message: ProviderMessage) -> DeliveryReference | None:
    row = connection.execute(f"SELECT {_COLUMNS} FROM provider_messages WHERE {_KEY}", _key(message)).fetchone()
    return None if row is None else DeliveryReference(*(*row[:-1], bool(row[-1])))
