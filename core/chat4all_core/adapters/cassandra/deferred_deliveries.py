"""Deliveries that wait for long, on Cassandra."""

from collections.abc import Mapping, Sequence

from chat4all_core.adapters.cassandra.query import Query
from chat4all_core.adapters.cassandra.session import Session
from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.deferred_deliveries import DeferredDelivery

_PERSON = "channel = ? AND address = ?"
_CQL = {
    "add_queue": "INSERT INTO deferred_queues (channel, partition, address, due_at) VALUES (?, ?, ?, ?)",
    "add": "INSERT INTO deferred_deliveries (channel, address, due_at, generation, partition, offset, value)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)",
    "due_at": f"SELECT due_at FROM deferred_deliveries WHERE {_PERSON} LIMIT 1",
    "first": f"SELECT generation, partition, offset, value FROM deferred_deliveries WHERE {_PERSON} LIMIT ?",
    "remove": f"DELETE FROM deferred_deliveries WHERE {_PERSON} AND generation = ? AND partition = ? AND offset = ?",
    "end": f"DELETE due_at FROM deferred_deliveries WHERE {_PERSON}",
    "end_queue": "DELETE FROM deferred_queues WHERE channel = ? AND partition = ? AND address = ?",
    "queues": "SELECT due_at, address FROM deferred_queues WHERE channel = ? AND partition = ?",
}


class CassandraDeferredDeliveries:
    """Implements DeferredDeliveries."""

    def __init__(self, session: Session, queries: Mapping[str, Query]) -> None:
        self._session = session
        self._queries = queries

    @classmethod
    async def open(cls, session: Session) -> "CassandraDeferredDeliveries":
        """With its statements prepared."""
        return cls(session, await session.prepare(_CQL))

    async def add(self, to: ChannelAddress, deliveries: Sequence[DeferredDelivery], due_at: Timestamp) -> None:
        """See DeferredDeliveries.add."""
        partition = deliveries[0].source.partition
        # First, so that no delivery lies where nobody looks; a queue that is listed for nothing does no harm.
        await self._session.execute(self._queries["add_queue"].bind(to.channel, partition, to.address, due_at))
        await self._session.execute_all(
            self._queries["add"].bind(
                to.channel,
                to.address,
                due_at,
                delivery.source.generation,
                delivery.source.partition,
                delivery.source.offset,
                delivery.value,
            )
            for delivery in deliveries
        )

    async def due_at(self, to: ChannelAddress) -> Timestamp | None:
        """See DeferredDeliveries.due_at."""
        rows = await self._session.execute(self._queries["due_at"].bind(to.channel, to.address))
        return rows[0][0] if rows else None

    async def first(self, to: ChannelAddress, limit: int) -> Sequence[DeferredDelivery]:
        """See DeferredDeliveries.first."""
        rows = await self._session.execute(self._queries["first"].bind(to.channel, to.address, limit))
        # A queue without deliveries has a row for its time alone.
        return [DeferredDelivery(Source(*place), value) for *place, value in rows if value is not None]

    async def remove(self, to: ChannelAddress, source: Source) -> None:
        """See DeferredDeliveries.remove."""
        person = (to.channel, to.address)
        place = (source.generation, source.partition, source.offset)
        await self._session.execute(self._queries["remove"].bind(*person, *place))
        if not await self.first(to, 1):
            await self._session.execute(self._queries["end"].bind(*person))
            await self._session.execute(self._queries["end_queue"].bind(to.channel, source.partition, to.address))

    async def due(self, channel: ChannelName, partition: int, now: Timestamp, limit: int) -> Sequence[ChannelAddress]:
        """See DeferredDeliveries.due."""
        rows = await self._session.execute(self._queries["queues"].bind(channel, partition))
        due = sorted((due_at, address) for due_at, address in rows if due_at <= now)
        return [ChannelAddress(channel, address) for _, address in due[:limit]]
