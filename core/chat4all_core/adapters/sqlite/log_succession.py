"""Going on without a log that was lost, or is older than the stores."""

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from chat4all_core.adapters.sqlite.migration import migrate

_GENERATIONS = {"store.db": ("messages", "stream_sources"), "log.db": ("topics",)}
"""By file, the tables that tell of generations that were in use."""


def succeed_log(data_dir: Path, topics: Sequence[str], partitions: int) -> int:
    """Put the log aside, if there is one, and make another, whose topics are in a generation that nothing in the
    stores is from. To be called with the data directory locked and its files closed; and again, if interrupted.

    Returns:
        The number of the generation.
    """
    generation = 1 + max(_newest(data_dir / name, tables) for name, tables in _GENERATIONS.items())
    log = data_dir / "log.db"
    made = data_dir / "log.db.next"
    made.unlink(missing_ok=True)
    with closing(sqlite3.connect(made, isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        migrate(connection, made, "log")
        connection.executemany(
            "INSERT INTO topics (name, generation, partitions) VALUES (?, ?, ?)",
            [(topic, generation, partitions) for topic in topics],
        )
    _put_aside(log)
    made.rename(log)
    _sync(data_dir)
    return generation


def _newest(path: Path, tables: Sequence[str]) -> int:
    if not path.exists():
        return 0
    newest = 0
    with closing(sqlite3.connect(path)) as connection:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in there.intersection(tables):
            (found,) = connection.execute(f"SELECT max(generation) FROM {table}").fetchone()
            newest = max(newest, found or 0)
    return newest


def _put_aside(log: Path) -> None:
    """With what belongs to it, which must not be taken for its successor's."""
    number = 1
    while (aside := log.with_name(f"log.db.lost-{number}")).exists():
        number += 1
    for suffix in ("-wal", "-shm", ""):
        part = log.with_name(f"log.db{suffix}")
        if part.exists():
            part.rename(aside.with_name(f"{aside.name}{suffix}"))


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
