"""How topics and records lie in the log's database."""

import json
import sqlite3
import zlib
from dataclasses import dataclass

from chat4all_core.domain.source import Source
from chat4all_core.ports.event_log import Record

_OFFSET_BITS = 44
_PARTITION_BITS = 10
MAX_PARTITIONS = 1 << _PARTITION_BITS


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic as it was created; it never changes."""

    topic_id: int
    name: str
    generation: int
    partitions: int

    def partition_of(self, key: str) -> int:
        """The partition of a key: the same in every process and release."""
        return zlib.crc32(key.encode()) % self.partitions

    def first_id(self, partition: int) -> int:
        """The `record_id` of a partition's offset 0; that of offset n is n more."""
        return ((self.topic_id << _PARTITION_BITS) + partition) << _OFFSET_BITS

    def end_id(self, partition: int) -> int:
        """Beyond every `record_id` of a partition."""
        return self.first_id(partition + 1)


def find_topic(connection: sqlite3.Connection, name: str) -> Topic | None:
    """A topic by name, or None."""
    row = connection.execute(
        "SELECT topic_id, name, generation, partitions FROM topics WHERE name = ?", (name,)
    ).fetchone()
    return None if row is None else Topic(*row)


def create_topic(connection: sqlite3.Connection, name: str, partitions: int) -> Topic:
    """Store a topic that does not exist yet, in its first generation."""
    connection.execute("INSERT INTO topics (name, generation, partitions) VALUES (?, 1, ?)", (name, partitions))
    topic = find_topic(connection, name)
    assert topic is not None
    return topic


def kept_offsets(connection: sqlite3.Connection, topic: Topic, partition: int) -> tuple[int, int]:
    """The offset of the first record that is kept, and that after the last one. The newest record of a
    partition is never deleted, so an empty partition never had one."""
    first, end = topic.first_id(partition), topic.end_id(partition)
    # Two subqueries, for SQLite seeks a lone min or max but scans for both.
    low, high = connection.execute(
        "SELECT (SELECT min(record_id) FROM records WHERE record_id >= ?1 AND record_id < ?2),"
        " (SELECT max(record_id) FROM records WHERE record_id >= ?1 AND record_id < ?2)",
        (first, end),
    ).fetchone()
    return (0, 0) if low is None else (low - first, high - first + 1)


def read_records(connection: sqlite3.Connection, topic: Topic, partition: int, offset: int, limit: int) -> list[Record]:
    """Up to `limit` records of a partition from an offset on."""
    first = topic.first_id(partition)
    rows = connection.execute(
        "SELECT record_id, key, value, headers FROM records"
        " WHERE record_id >= ? AND record_id < ? ORDER BY record_id LIMIT ?",
        (first + offset, topic.end_id(partition), limit),
    ).fetchall()
    return [
        Record(
            topic.name,
            Source(topic.generation, partition, record_id - first),
            key,
            value,
            {} if headers is None else json.loads(headers),
        )
        for record_id, key, value, headers in rows
    ]
