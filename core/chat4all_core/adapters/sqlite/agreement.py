"""Whether the two files of a data directory belong together."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from chat4all_core.adapters.sqlite.log_record import find_topic, kept_offsets
from chat4all_core.domain.source import Source


class DataDirMismatchError(Exception):
    """The stores have taken in more of the log than there is."""


def require_agreement(data_dir: Path, topics: Mapping[str, str]) -> None:
    """Refuse a log that was lost or is older than the stores: its next records would get the places of records that
    the stores have, and be taken for those. To be called before the files are opened.

    Args:
        data_dir: where the files lie, if there are any yet.
        topics: by worker role, the topic that it reads.

    Raises:
        DataDirMismatchError: the message says what to do.
    """
    store, log = data_dir / "store.db", data_dir / "log.db"
    # The stores first: while another process works here, the log is always ahead of what was looked at.
    newest = _newest_sources(store, topics) if store.exists() else []
    if newest and not (log.exists() and _holds(log, newest)):
        raise DataDirMismatchError(
            f"{log} is missing or older than {store}, so messages would be lost: "
            "put back both files from one backup, choose another directory, or, if what was accepted and not handled "
            "yet may be lost, go on without the log: `make run ARGS=--lost-log`"
        )


def _newest_sources(store: Path, topics: Mapping[str, str]) -> list[tuple[str, Source]]:
    """The newest record of each partition that any user's stream has taken an event of."""
    with closing(sqlite3.connect(store)) as connection:
        if not _has_table(connection, "stream_sources"):
            return []  # the first start was killed on its way
        rows = connection.execute(
            "SELECT role, generation, partition, max(offset) FROM stream_sources GROUP BY role, generation, partition"
        ).fetchall()
    return [(topics[role], Source(*place)) for role, *place in rows if role in topics]


def _holds(log: Path, sources: list[tuple[str, Source]]) -> bool:
    """Whether the log has come as far as all of these."""
    with closing(sqlite3.connect(log)) as connection:
        if not _has_table(connection, "topics"):
            return False
        for name, source in sources:
            topic = find_topic(connection, name)
            if topic is None or topic.generation < source.generation:
                return False
            if topic.generation == source.generation:
                _, end = kept_offsets(connection, topic, source.partition)
                if end <= source.offset:
                    return False
    return True


def _has_table(connection: sqlite3.Connection, name: str) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (name,)).fetchone() is not None
