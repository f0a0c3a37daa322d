"""Requests that cover many partitions, made so that one node owns all that is in them.

Such a node answers from its own copy and asks others only for theirs; and a request costs both sides far more than the
rows in it.
"""

import struct
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from chat4all_core.adapters.cassandra.session import Session, unlogged_batch

_MAX_ROWS = 30  # more gain little
_LEAST_ROWS = 8  # fewer cost more than they gain
_SIDE_BY_SIDE = 8
"""Requests that a batch is divided into before they grow. A node that flushes before it answers writes the rows of a
request one after the other, each waiting for the disk, and those of several requests together."""
_MAX_BYTES = 24 * 1_024  # Cassandra refuses batches of 50 KiB, its own overhead included

T = TypeVar("T")


def write_batches(session: Session, statements: Iterable[Any]) -> list[Any]:
    """Idempotent writes in unlogged batches. Rows of one partition stay together."""
    batches: list[Any] = []
    for _, owned in _by_owner(session, statements, _routing_key):
        most = min(max(len(owned) // _SIDE_BY_SIDE, _LEAST_ROWS), _MAX_ROWS)
        batch: list[Any] = []
        size = 0
        for statement in owned:
            length = sum(len(value) for value in statement.values if value is not None)
            if batch and (len(batch) >= most or size + length > _MAX_BYTES):
                batches.append(unlogged_batch(batch))
                batch, size = [], 0
            batch.append(statement)
            size += length
        batches.append(unlogged_batch(batch))
    return batches


def key_groups(
    session: Session, items: Iterable[T], key: Callable[[T], bytes], most: int = _MAX_ROWS
) -> list[tuple[bytes, list[T]]]:
    """Things to be looked up by one IN query each, at most `most` together, with a key whose owner should be asked."""
    return [
        (first, owned[start : start + most])
        for first, owned in _by_owner(session, items, key)
        for start in range(0, len(owned), most)
    ]


def composite_key(*parts: bytes) -> bytes:
    """The key of a partition that has several key columns, as it is hashed."""
    return b"".join(struct.pack(f">H{len(part)}sB", len(part), part, 0) for part in parts)


def _by_owner(session: Session, items: Iterable[T], key: Callable[[T], bytes]) -> Iterable[tuple[bytes, list[T]]]:
    owned: dict[object, list[tuple[bytes, int, T]]] = {}
    for index, item in enumerate(items):
        routing_key = key(item)
        owned.setdefault(session.owner(routing_key), []).append((routing_key, index, item))
    for entries in owned.values():
        entries.sort()  # never compares the items, for no two have an index in common
        yield entries[0][0], [item for _, _, item in entries]


def _routing_key(statement: Any) -> bytes:
    key: bytes = statement.routing_key
    return key
