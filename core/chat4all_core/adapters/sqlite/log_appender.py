"""The writing side of the event log, as it runs in the database's thread."""

import asyncio
import json
import sqlite3
from collections.abc import Callable, Mapping

from chat4all_core.adapters.sqlite.log_record import Topic, create_topic, find_topic, kept_offsets
from chat4all_core.adapters.sqlite.rows import insert_rows
from chat4all_core.domain.source import Source
from chat4all_core.ports.clock import Clock

Pending = tuple[str, str, bytes, Mapping[str, str] | None, "asyncio.Future[Source]"]
"""Topic, key, value, headers, and who waits: a plain tuple, for one is made for each append."""


Place = tuple[Topic, int, int]
"""Topic, partition and offset of a record that was written."""


class LogAppender:
    """Gives records their offsets. Used by one thread; `forget` after a rollback."""

    def __init__(self, clock: Clock, partitions: int) -> None:
        self._clock = clock
        self._partitions = partitions
        self._topics: dict[str, Topic] = {}
        self._next_ids: dict[int, int] = {}

    def forget(self) -> None:
        """Drop what may have been undone; it is read again when needed."""
        self._topics.clear()
        self._next_ids.clear()

    def topic(self, connection: sqlite3.Connection, name: str) -> Topic:
        """A topic, created when it does not exist."""
        topic = self._topics.get(name)
        if topic is None:
            topic = find_topic(connection, name) or create_topic(connection, name, self._partitions)
            self._topics[name] = topic
        return topic

    def append(self, connection: sqlite3.Connection, batch: list[Pending]) -> list[Place]:
        """Write records in their order; the place of each."""
        now = self._clock()
        rows = []
        places = []
        for name, key, value, headers, _ in batch:
            topic = self._topics.get(name) or self.topic(connection, name)
            partition = topic.partition_of(key)
            first = topic.first_id(partition)
            record_id = self._next_ids.get(first)
            if record_id is None:
                record_id = first + kept_offsets(connection, topic, partition)[1]
            self._next_ids[first] = record_id + 1
            rows.append((record_id, key, value, json.dumps(dict(headers)) if headers else None, now))
            places.append((topic, partition, record_id - first))
        insert_rows(connection, "records (record_id, key, value, headers, appended_at)", rows)
        return places


class AppendJob:
    """Writes what is pending at the moment it first runs; run again, it writes the same."""

    def __init__(self, appender: LogAppender, take: Callable[[], list[Pending]]) -> None:
        self._appender = appender
        self._take = take
        self.batch: list[Pending] | None = None

    def __call__(self, connection: sqlite3.Connection) -> list[Place]:
        """Write the batch."""
        if self.batch is None:
            self.batch = self._take()
        return self._appender.append(connection, self.batch)
