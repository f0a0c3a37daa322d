"""Deliveries that wait for long, on SQLite."""

import sqlite3
from collections.abc import Sequence

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.rows import insert_rows
from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.deferred_deliveries import DeferredDelivery

_PERSON = "channel = ? AND address = ?"


class SqliteDeferredDeliveries:
    """Implements DeferredDeliveries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, to: ChannelAddress, deliveries: Sequence[DeferredDelivery], due_at: Timestamp) -> None:
        """See DeferredDeliveries.add."""
        queue = (to.channel, to.address, deliveries[0].source.partition, due_at)
        rows = [
            (to.channel, to.address, d.source.generation, d.source.partition, d.source.offset, d.value)
            for d in deliveries
        ]

        def run(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO deferred_queues (channel, address, partition, due_at) VALUES (?, ?, ?, ?)"
                " ON CONFLICT DO UPDATE SET partition = excluded.partition, due_at = excluded.due_at",
                queue,
            )
            insert_rows(
                connection,
                "deferred_deliveries (channel, address, generation, partition, offset, value)",
                rows,
                "ON CONFLICT DO NOTHING",
            )

        await self._database.write(run)

    async def due_at(self, to: ChannelAddress) -> Timestamp | None:
        """See DeferredDeliveries.due_at."""
        row = await self._database.read(
            lambda connection: connection.execute(
                f"SELECT due_at FROM deferred_queues WHERE {_PERSON}", (to.channel, to.address)
            ).fetchone()
        )
        return row[0] if row else None

    async def first(self, to: ChannelAddress, limit: int) -> Sequence[DeferredDelivery]:
        """See DeferredDeliveries.first."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                f"SELECT generation, partition, offset, value FROM deferred_deliveries WHERE {_PERSON}"
                " ORDER BY generation, partition, offset LIMIT ?",
                (to.channel, to.address, limit),
            ).fetchall()
        )
        return [DeferredDelivery(Source(*place), value) for *place, value in rows]

    async def remove(self, to: ChannelAddress, source: Source) -> None:
        """See DeferredDeliveries.remove."""
        person = (to.channel, to.address)

        def run(connection: sqlite3.Connection) -> None:
            connection.execute(
                f"DELETE FROM deferred_deliveries WHERE {_PERSON} AND generation = ? AND partition = ? AND offset = ?",
                (*person, source.generation, source.partition, source.offset),
            )
            connection.execute(
                f"DELETE FROM deferred_queues WHERE {_PERSON}"
                f" AND NOT EXISTS (SELECT 1 FROM deferred_deliveries WHERE {_PERSON})",
                (*person, *person),
            )

        await self._database.write(run)

    async def due(self, channel: ChannelName, partition: int, now: Timestamp, limit: int) -> Sequence[ChannelAddress]:
        """See DeferredDeliveries.due."""
        rows = await self._database.read(
            lambda connection: connection.execute(
                "SELECT address FROM deferred_queues WHERE channel = ? AND partition = ? AND due_at <= ?"
                " ORDER BY due_at LIMIT ?",
                (channel, partition, now, limit),
            ).fetchall()
        )
        return [ChannelAddress(channel, address) for (address,) in rows]
