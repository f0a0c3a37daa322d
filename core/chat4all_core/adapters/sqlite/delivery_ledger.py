"""The ledger of deliveries on SQLite."""

import json
import sqlite3
from typing import Any

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.expiry import KEPT
from chat4all_core.domain.delivery import DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.delivery_ledger import Claim, LedgerKey, Settlement

_KEY = "delivery_id = ? AND attempt = ? AND part = ?"
_FIND = f"SELECT owner, lease_until, state, settled_at, provider_id, failure FROM delivery_ledger WHERE {_KEY}"
_CLAIM = (
    "INSERT INTO delivery_ledger (delivery_id, attempt, part, owner, lease_until, expires_at)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
)
_SETTLE = (
    f"UPDATE delivery_ledger SET state = ?, settled_at = ?, provider_id = ?, failure = ? WHERE {_KEY}"
    f" AND (state IS NULL OR state = {DeliveryState.UNKNOWN:d})"
)
_RECORD = (
    "INSERT INTO delivery_ledger (state, settled_at, provider_id, failure, delivery_id, attempt, part, owner,"
    " lease_until, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, '', 0, ?) ON CONFLICT DO NOTHING"
)


class SqliteDeliveryLedger:
    """Implements DeliveryLedger."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def find(self, key: LedgerKey) -> Claim | Settlement | None:
        """See DeliveryLedger.find."""
        return await self._database.read(lambda connection: _find(connection, key))

    async def claim(self, key: LedgerKey, claim: Claim) -> Claim | Settlement | None:
        """See DeliveryLedger.claim."""
        expires_at = self._clock() + KEPT

        def run(connection: sqlite3.Connection) -> Claim | Settlement | None:
            values = (*_key(key), claim.owner, claim.lease_until, expires_at)
            return None if connection.execute(_CLAIM, values).rowcount else _find(connection, key)

        return await self._database.write(run)

    async def settle(self, key: LedgerKey, settlement: Settlement) -> None:
        """See DeliveryLedger.settle."""
        values = (*_values(settlement), *_key(key))
        await self._database.write(lambda connection: connection.execute(_SETTLE, values))

    async def record(self, key: LedgerKey, settlement: Settlement) -> None:
        """See DeliveryLedger.record."""
        values = (*_values(settlement), *_key(key), self._clock() + KEPT)
        await self._database.write(lambda connection: connection.execute(_RECORD, values))

    async def release(self, key: LedgerKey, owner: str) -> None:
        """See DeliveryLedger.release."""
        await self._database.write(
            lambda connection: connection.execute(
                f"DELETE FROM delivery_ledger WHERE {_KEY} AND owner = ? AND state IS NULL", (*_key(key), owner)
            )
        )


def _key(key: LedgerKey) -> tuple[Any, ...]:
    return key.delivery_id, key.attempt, key.part


def _values(settlement: Settlement) -> tuple[Any, ...]:
    failure = settlement.failure
    described = json.dumps([failure.code, failure.reason, failure.remedy], ensure_ascii=False) if failure else None
    return int(settlement.state), settlement.time, settlement.provider_id, described


def _find(connection: sqlite3.Connection, key: LedgerKey) -> Claim | Settlement | None:
    row = connection.execute(_FIND, _key(key)).fetchone()
    if row is None:
        return None
    owner, lease_until, state, settled_at, provider_id, failure = row
    if state is None:
        return Claim(owner, lease_until)
    return Settlement(
        DeliveryState(state), settled_at, provider_id, DeliveryFailure(*json.loads(failure)) if failure else None
    )
