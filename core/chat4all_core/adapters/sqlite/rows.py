"""Statements over many rows at once.

Python's sqlite3 lets go of the interpreter lock at every step of a statement and has to win it back from a
busy event loop, so the number of statements is what costs, not that of rows. Many rows are written by
one INSERT, and many keys are looked up by one query over a JSON array.
"""

import json
import sqlite3
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

_MAX_PARAMETERS = 1_024  # bounds both the statement's size and the number of statements kept prepared


def insert_rows(connection: sqlite3.Connection, into: str, rows: Sequence[tuple[Any, ...]], conflict: str = "") -> None:
    """Run `INSERT INTO <into> VALUES (…), (…), … <conflict>`, in as few statements as is sensible.

    Args:
        connection: in a transaction.
        into: the table and its columns.
        rows: all of one width.
        conflict: an ON CONFLICT clause.
    """
    if not rows:
        return
    width = len(rows[0])
    chunk = _MAX_PARAMETERS // width
    for start in range(0, len(rows), chunk):
        part = rows[start : start + chunk] if len(rows) > chunk else rows
        connection.execute(_insert(into, width, len(part), conflict), tuple(chain.from_iterable(part)))


@lru_cache(maxsize=4_096)
def _insert(into: str, width: int, count: int, conflict: str) -> str:
    row = f"({','.join('?' * width)})"
    return f"INSERT INTO {into} VALUES {','.join([row] * count)} {conflict}"


def json_array(values: Collection[Any]) -> str:
    """The parameter for `IN (SELECT value FROM json_each(?))`."""
    return json.dumps(list(values), ensure_ascii=False, separators=(",", ":"))
