"""People on channels, on Cassandra."""

from collections.abc import Mapping

from chat4all_core.adapters.cassandra.query import Query, is_key
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.channel import AccountId, ChannelAddress
from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.contact_store import Contact

_CQL = {
    "get": "SELECT account, conversation_id, display_name, last_received_at FROM contacts"
    " WHERE channel = ? AND address = ?",
    # The person's own time is the write's, so the newest one stays without being read first.
    "received": "UPDATE contacts USING TIMESTAMP ? SET account = ?, last_received_at = ?"
    " WHERE channel = ? AND address = ?",
    "name": "UPDATE contacts USING TIMESTAMP ? SET display_name = ? WHERE channel = ? AND address = ?",
    "conversation": "UPDATE contacts SET conversation_id = ? WHERE channel = ? AND address = ?",
}


class CassandraContactStore:
    """Implements ContactStore."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._queries = queries

    @classmethod
    async def open(cls, session: Session) -> "CassandraContactStore":
        """With its statements prepared."""
        return cls(session, await session.prepare(_CQL))

    async def get(self, address: ChannelAddress) -> Contact | None:
        """See ContactStore.get."""
        if not is_key(address.address):
            return None
        rows = await self._session.execute(self._queries["get"].bind(address.channel, address.address))
        if not rows:
            return None
        account, conversation_id, name, at = rows[0]
        return Contact(address, account, conversation_id, name or "", None if at is None else Timestamp(at))

    async def received(self, address: ChannelAddress, account: AccountId, name: str, at: Timestamp) -> None:
        """See ContactStore.received."""
        key = (address.channel, address.address)
        await self._session.execute(self._queries["received"].bind(at, account, at, *key))
        if name:
            await self._session.execute(self._queries["name"].bind(at, name, *key))

    async def set_conversation(self, address: ChannelAddress, conversation_id: ConversationId) -> None:
        """See ContactStore.set_conversation."""
        await self._session.execute(
            self._queries["conversation"].bind(conversation_id, address.channel, address.address)
        )
