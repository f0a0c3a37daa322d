"""A member of a consumer group."""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence

from chat4all_core.adapters.sqlite.consumer_group import ConsumerGroup, Member
from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.log_record import Topic, kept_offsets
from chat4all_core.adapters.sqlite.log_topic import LogTopic
from chat4all_core.adapters.sqlite.rows import insert_rows
from chat4all_core.adapters.sqlite.wake_up import WakeUp
from chat4all_core.ports.event_log import AssignmentListener, Record


class SqliteConsumer:
    """Implements Consumer."""

    def __init__(self, database: Database, join: Callable[[], Awaitable[tuple[LogTopic, ConsumerGroup]]]) -> None:
        self._database = database
        self._join = join
        self._positions: dict[int, int] = {}
        """Of the partitions that were given: the offset to go on from."""
        self._unchecked: set[int] = set()
        """Those whose position did not come from reading."""
        self._paused: set[int] = set()
        self._turn = 0
        self._started = False

    async def start(self, on_assigned: AssignmentListener, on_revoked: AssignmentListener) -> None:
        """See Consumer.start."""
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._loop = asyncio.get_running_loop()
        self._wake_up = WakeUp()
        self._topic, self._group = await self._join()
        self._topic.wake_with_records(self._wake_up)
        self._member: Member = self._group.join(self._wake_up)
        self._started = True

    async def poll(self, max_records: int, timeout: float) -> Sequence[Record]:
        """See Consumer.poll."""
        deadline = self._loop.time() + timeout
        while True:
            self._group.seen(self._member)
            await self._rebalance()
            records = await self._fetch(max_records)
            now = self._loop.time()
            if records or now >= deadline:
                self._group.seen(self._member)
                return records
            self._group.waits(self._member)
            try:
                await self._wake_up.wait(min(deadline, self._group.next_look(self._member)) - now)
            finally:
                self._group.seen(self._member)

    async def commit(self, next_offsets: Mapping[int, int]) -> None:
        """See Consumer.commit."""
        topic_id, group = self._topic.topic.topic_id, self._group.name
        rows = [
            (topic_id, group, partition, offset)
            for partition, offset in next_offsets.items()
            if self._group.owns(self._member, partition)
        ]
        if rows:
            await self._database.write(lambda connection: _store_commits(connection, rows))

    def rewind(self, next_offsets: Mapping[int, int]) -> None:
        """See Consumer.rewind."""
        for partition, offset in next_offsets.items():
            if partition in self._positions:
                self._positions[partition] = offset
                self._unchecked.add(partition)
        self._wake_up.notify()

    def pause(self, partitions: Sequence[int]) -> None:
        """See Consumer.pause."""
        self._paused.update(p for p in partitions if p in self._positions)

    def resume(self, partitions: Sequence[int]) -> None:
        """See Consumer.resume."""
        self._paused.difference_update(partitions)
        self._wake_up.notify()

    async def close(self) -> None:
        """See Consumer.close."""
        if not self._started:
            return
        self._started = False
        self._topic.let_sleep(self._wake_up)
        try:
            if self._positions:
                await self._hand_over(list(self._positions))
        finally:
            self._group.leave(self._member)

    async def _rebalance(self) -> None:
        if not self._group.is_member(self._member):
            if self._positions:
                await self._hand_over(list(self._positions))
            self._member = self._group.join(self._wake_up)
        leaving = self._group.to_hand_over(self._member)
        if leaving:
            await self._hand_over(leaving)
        coming = self._group.take(self._member)
        if coming:
            await self._take_over(coming)

    async def _hand_over(self, partitions: list[int]) -> None:
        try:
            await self._on_revoked(partitions)
        finally:
            for partition in partitions:
                del self._positions[partition]
            self._paused.difference_update(partitions)
            self._unchecked.difference_update(partitions)
            self._group.let_go(self._member, partitions)

    async def _take_over(self, partitions: list[int]) -> None:
        topic, group = self._topic.topic, self._group.name
        try:
            # Through the writer, so that commits which are still on their way come before.
            positions = await self._database.write(
                lambda connection: _load_positions(connection, topic, group, partitions)
            )
        except BaseException:
            self._group.let_go(self._member, partitions)
            raise
        self._positions.update(positions)
        self._unchecked.update(partitions)
        await self._on_assigned(partitions)

    async def _fetch(self, max_records: int) -> Sequence[Record]:
        """What can be had at once, beginning with another partition each time."""
        partitions = sorted(self._positions.keys() - self._paused)
        for partition in self._unchecked.intersection(partitions):
            await self._topic.check(partition, self._positions[partition])
            self._unchecked.discard(partition)
        self._turn += 1
        fetched: list[Record] = []
        advanced: dict[int, int] = {}
        for index in range(len(partitions)):
            partition = partitions[(self._turn + index) % len(partitions)]
            records = await self._read(partition, max_records - len(fetched))
            if records:
                fetched.extend(records)
                advanced[partition] = records[-1].source.offset + 1
                if len(fetched) >= max_records:
                    break
        # Only now: had a read failed, the records before it would be skipped.
        self._positions.update(advanced)
        return fetched

    async def _read(self, partition: int, limit: int) -> Sequence[Record]:
        position = self._positions[partition]
        records = self._topic.read_tail(partition, position, limit)
        return await self._topic.read(partition, position, limit) if records is None else records


def _store_commits(connection: sqlite3.Connection, rows: list[tuple[int, str, int, int]]) -> None:
    insert_rows(
        connection,
        "committed_offsets (topic_id, group_name, partition, next_offset)",
        rows,
        "ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset",
    )


def _load_positions(
    connection: sqlite3.Connection, topic: Topic, group: str, partitions: Sequence[int]
) -> dict[int, int]:
    committed = dict(
        connection.execute(
            "SELECT partition, next_offset FROM committed_offsets WHERE topic_id = ? AND group_name = ?",
            (topic.topic_id, group),
        ).fetchall()
    )
    return {p: committed.get(p, kept_offsets(connection, topic, p)[0]) for p in partitions}
