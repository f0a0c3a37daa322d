"""Prepared statements, bound quickly.

The driver's own `bind` takes 10 µs for the columns of a message, most of it for abilities that nobody uses here; one
function a column takes 1 µs.
"""

import struct
from collections.abc import Callable
from typing import Any

from cassandra.query import BoundStatement

_INT = struct.Struct(">i").pack


def _encode_texts(texts: list[str]) -> bytes:
    parts = [_INT(len(texts))]
    for text in texts:
        encoded = text.encode()
        parts += (_INT(len(encoded)), encoded)
    return b"".join(parts)


_ENCODERS: dict[str, Callable[[Any], bytes]] = {
    "text": str.encode,
    "list<text>": _encode_texts,
    "int": _INT,
    "bigint": struct.Struct(">q").pack,
    "blob": bytes,
}

MAX_KEY_BYTES = 65_535
"""Of what Cassandra takes as a key; it refuses longer ones, and empty ones."""


class Query:
    """A prepared statement."""

    def __init__(self, prepared: Any) -> None:
        self._prepared = prepared
        self._encoders = [
            _ENCODERS.get(column.type.cql_parameterized_type()) or _encoder(column.type, prepared.protocol_version)
            for column in prepared.column_metadata
        ]

    def bind(self, *values: Any) -> Any:
        """The statement with a value for each `?`, None for null; the driver sends it to an owner of its partition."""
        return self._bound(BoundStatement(self._prepared), values)

    def bind_for(self, key: bytes, *values: Any) -> Any:
        """The same for a query that names partitions in an IN list: it goes to an owner of `key`."""
        return self._bound(_RoutedStatement(self._prepared, routing_key=key), values)

    def _bound(self, statement: Any, values: tuple[Any, ...]) -> Any:
        statement.values = [
            None if value is None else encode(value) for encode, value in zip(self._encoders, values, strict=True)
        ]
        return statement


class _RoutedStatement(BoundStatement):  # type: ignore[misc] # the driver has no types
    @property
    def routing_key(self) -> Any:
        return self._routing_key


def _encoder(column_type: Any, protocol_version: int) -> Callable[[Any], bytes]:
    def encode(value: Any) -> bytes:
        encoded: bytes = column_type.serialize(value, protocol_version)
        return encoded

    return encode


def is_key(text: str) -> bool:
    """Whether a row can have this key at all."""
    return 0 < len(text) <= MAX_KEY_BYTES and len(text.encode()) <= MAX_KEY_BYTES
