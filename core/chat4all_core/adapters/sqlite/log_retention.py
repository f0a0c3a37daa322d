"""Deleting log records that nobody needs any more."""

import sqlite3
from functools import partial

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.log_record import Topic, kept_offsets
from chat4all_core.domain.timestamp import Timestamp

_CHUNK = 1_000


async def delete_committed(database: Database, older_than: Timestamp) -> None:
    """Delete the records that every group of their topic has committed and that were appended before a
    time, a little at a time. A topic without a group keeps everything, and every partition keeps its
    newest record, which tells where the next one goes."""
    for topic in await database.read(_topics):
        for partition in range(topic.partitions):
            delete_some = partial(_delete_some, topic=topic, partition=partition, older_than=older_than)
            while await database.write(delete_some):
                pass


def _topics(connection: sqlite3.Connection) -> list[Topic]:
    rows = connection.execute("SELECT topic_id, name, generation, partitions FROM topics").fetchall()
    return [Topic(*row) for row in rows]


def _delete_some(connection: sqlite3.Connection, topic: Topic, partition: int, older_than: int) -> bool:
    """Whether there may be more to delete."""
    first = topic.first_id(partition)
    _, end = kept_offsets(connection, topic, partition)
    limit = min(_committed_by_all(connection, topic, partition), end - 1)
    rows = connection.execute(
        "SELECT record_id, appended_at FROM records WHERE record_id >= ? AND record_id < ? ORDER BY record_id LIMIT ?",
        (first, first + limit, _CHUNK),
    ).fetchall()
    # Up to the first one that is young enough, for what is kept has no holes.
    young = next((index for index, row in enumerate(rows) if row[1] >= older_than), len(rows))
    if young:
        connection.execute("DELETE FROM records WHERE record_id >= ? AND record_id <= ?", (first, rows[young - 1][0]))
    return young == _CHUNK


def _committed_by_all(connection: sqlite3.Connection, topic: Topic, partition: int) -> int:
    """The lowest committed offset; 0 when a group has none, or when there is no group."""
    (offset,) = connection.execute(
        "SELECT min(coalesce(next_offset, 0)) FROM consumer_groups AS g LEFT JOIN committed_offsets AS o"
        " ON o.topic_id = g.topic_id AND o.group_name = g.name AND o.partition = ?"
        " WHERE g.topic_id = ?",
        (partition, topic.topic_id),
    ).fetchone()
    return offset or 0
