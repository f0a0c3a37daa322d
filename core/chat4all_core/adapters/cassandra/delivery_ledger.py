"""The ledger of deliveries on Cassandra."""

from collections.abc import Mapping
from typing import Any

from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.channel import ProviderId
from chat4all_core.domain.delivery import DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.delivery_ledger import Claim, LedgerKey, Settlement

KEPT_SECONDS = 40 * 86_400
"""Longer than any channel reports on a message (30 days)."""

_CLAIMED = 0
_KEY = "delivery_id = ? AND attempt = ? AND part = ?"
_VALUES = "owner, lease_until, state, settled_at, provider_id, failure_code, failure_reason, failure_remedy"
_CQL = {
    "find": f"SELECT {_VALUES} FROM delivery_ledger WHERE {_KEY}",
    # Without a condition: such a row is never claimed, so no transaction meets it.
    "record": "INSERT INTO delivery_ledger (state, settled_at, provider_id, failure_code, failure_reason,"
    " failure_remedy, delivery_id, attempt, part)"
    f" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) USING TTL {KEPT_SECONDS}",
}
_CONDITIONAL_CQL = {
    "claim": "INSERT INTO delivery_ledger (delivery_id, attempt, part, owner, lease_until, state)"
    f" VALUES (?, ?, ?, ?, ?, {_CLAIMED}) IF NOT EXISTS USING TTL {KEPT_SECONDS}",
    "settle": f"UPDATE delivery_ledger USING TTL {KEPT_SECONDS} SET state = ?, settled_at = ?, provider_id = ?,"
    f" failure_code = ?, failure_reason = ?, failure_remedy = ? WHERE {_KEY}"
    f" IF state IN ({_CLAIMED}, {DeliveryState.UNKNOWN:d})",
    "release": f"DELETE FROM delivery_ledger WHERE {_KEY} IF owner = ? AND state = {_CLAIMED}",
}


class CassandraDeliveryLedger:
    """Implements DeliveryLedger."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._queries = queries

    @classmethod
    async def open(cls, session: Session) -> "CassandraDeliveryLedger":
        """With its statements prepared."""
        conditional = await session.prepare(_CONDITIONAL_CQL, idempotent=False)
        return cls(session, await session.prepare(_CQL) | conditional)

    async def find(self, key: LedgerKey) -> Claim | Settlement | None:
        """See DeliveryLedger.find. What another has claimed at this very moment may be missed; `claim` misses
        nothing."""
        rows = await self._session.execute(self._queries["find"].bind(*_key(key)))
        return _entry(rows[0]) if rows else None

    async def claim(self, key: LedgerKey, claim: Claim) -> Claim | Settlement | None:
        """See DeliveryLedger.claim."""
        outcome = await self._session.execute_conditional(
            self._queries["claim"].bind(*_key(key), claim.owner, claim.lease_until)
        )
        if outcome.applied:
            return None
        stands = _entry([outcome.values.get(column) for column in _VALUES.split(", ")])
        # An earlier try, whose outcome was not known, was applied.
        return None if outcome.uncertain and stands == claim else stands

    async def settle(self, key: LedgerKey, settlement: Settlement) -> None:
        """See DeliveryLedger.settle."""
        await self._session.execute_conditional(self._queries["settle"].bind(*_values(settlement), *_key(key)))

    async def record(self, key: LedgerKey, settlement: Settlement) -> None:
        """See DeliveryLedger.record."""
        await self._session.execute(self._queries["record"].bind(*_values(settlement), *_key(key)))

    async def release(self, key: LedgerKey, owner: str) -> None:
        """See DeliveryLedger.release."""
        await self._session.execute_conditional(self._queries["release"].bind(*_key(key), owner))


def _key(key: LedgerKey) -> tuple[str, int, int]:
    return key.delivery_id, key.attempt, key.part


def _values(settlement: Settlement) -> tuple[Any, ...]:
    failure = settlement.failure or DeliveryFailure("", "", "")
    provider_id = settlement.provider_id or ""
    return int(settlement.state), settlement.time, provider_id, failure.code, failure.reason, failure.remedy


def _entry(values: Any) -> Claim | Settlement:
    owner, lease_until, state, settled_at, provider_id, *failure = values
    if state == _CLAIMED:
        return Claim(owner, lease_until)
    return Settlement(
        DeliveryState(state),
        Timestamp(settled_at),
        ProviderId(provider_id) if provider_id else None,
        DeliveryFailure(*failure) if failure[0] else None,
    )
