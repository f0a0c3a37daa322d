"""Which delivery a channel's message is, on Cassandra."""

import hashlib
from collections.abc import Mapping, Sequence

from chat4all_core.adapters.cassandra.delivery_ledger import KEPT_SECONDS
from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.ports.provider_messages import DeliveryReference, ProviderMessage

_KEY = "channel = ? AND account = ? AND provider_id = ?"
_COLUMNS = "conversation_id, message_id, sequence, recipient, attempt, is_last"
_CQL = {
    "put": f"INSERT INTO provider_messages (channel, account, provider_id, {_COLUMNS})"
    f" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) USING TTL {KEPT_SECONDS}",
    "find": f"SELECT {_COLUMNS} FROM provider_messages WHERE {_KEY} LIMIT 1",
    "park": "INSERT INTO provider_messages (channel, account, provider_id, digest, report)"
    f" VALUES (?, ?, ?, ?, ?) USING TTL {KEPT_SECONDS}",
    "parked": f"SELECT report FROM provider_messages WHERE {_KEY}",
    "forget": f"DELETE FROM provider_messages WHERE {_KEY} AND digest >= ''",
}


class CassandraProviderMessages:
    """Implements ProviderMessages."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._queries = queries

    @classmethod
    async def open(cls, session: Session) -> "CassandraProviderMessages":
        """With its statements prepared."""
        return cls(session, await session.prepare(_CQL))

    async def put(self, message: ProviderMessage, reference: DeliveryReference) -> Sequence[bytes]:
        """See ProviderMessages.put."""
        await self._session.execute(
            self._queries["put"].bind(
                *_key(message),
                reference.conversation_id,
                reference.message_id,
                reference.sequence,
                reference.recipient,
                reference.attempt,
                int(reference.is_last),
            )
        )
        rows = await self._session.execute(self._queries["parked"].bind(*_key(message)))
        return [report for (report,) in rows if report is not None]

    async def find(self, message: ProviderMessage) -> DeliveryReference | None:
        """See ProviderMessages.find."""
        rows = await self._session.execute(self._queries["find"].bind(*_key(message)))
        if not rows or rows[0][0] is None:
            return None
        return DeliveryReference(*(*rows[0][:-1], bool(rows[0][-1])))

    async def park(self, message: ProviderMessage, report: bytes) -> DeliveryReference | None:
        """See ProviderMessages.park."""
        if (known := await self.find(message)) is not None:
            return known
        digest = hashlib.sha256(report).hexdigest()
        await self._session.execute(self._queries["park"].bind(*_key(message), digest, report))
        # Had it come in between, `put` may not have seen the report.
        return await self.find(message)

    async def forget_parked(self, message: ProviderMessage) -> None:
        """See ProviderMessages.forget_parked."""
        await self._session.execute(self._queries["forget"].bind(*_key(message)))


def _key(message: ProviderMessage) -> tuple[str, str, str]:
    return message.channel, message.account, message.provider_id
