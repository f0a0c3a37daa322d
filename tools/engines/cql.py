"""One query of Cassandra's native protocol (version 4), enough to learn whether a node serves."""

import socket
import struct
from enum import IntEnum
from typing import BinaryIO


class Consistency(IntEnum):
    """How many replicas must answer."""

    ONE = 1
    QUORUM = 4
    ALL = 5


_REQUEST, _RESPONSE = 0x04, 0x84
_STARTUP, _READY, _QUERY, _RESULT = 0x01, 0x02, 0x07, 0x08


def answers(host: str, port: int, query: str, consistency: Consistency) -> bool:
    """Tell whether a query is answered with a result within some seconds."""
    text = query.encode()
    body = struct.pack(">i", len(text)) + text + struct.pack(">hb", consistency, 0)
    try:
        with socket.create_connection((host, port), timeout=5) as connection, connection.makefile("rb") as stream:
            if _call(connection, stream, _STARTUP, _string_map({"CQL_VERSION": "3.0.0"})) != _READY:
                return False
            return _call(connection, stream, _QUERY, body) == _RESULT
    except (OSError, struct.error):
        return False


def _call(connection: socket.socket, stream: BinaryIO, operation: int, body: bytes) -> int:
    """Send one frame and return the operation of the answer."""
    connection.sendall(struct.pack(">BBhBi", _REQUEST, 0, 0, operation, len(body)) + body)
    version, _, _, answer, length = struct.unpack(">BBhBi", stream.read(9))
    stream.read(length)
    return int(answer) if version == _RESPONSE else -1


def _string_map(values: dict[str, str]) -> bytes:
    strings = [text.encode() for pair in values.items() for text in pair]
    return struct.pack(">h", len(values)) + b"".join(struct.pack(">h", len(text)) + text for text in strings)
