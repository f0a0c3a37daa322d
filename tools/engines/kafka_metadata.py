"""One request of Kafka's protocol, enough to learn whether a broker serves and which brokers it knows."""

import socket
import struct

_METADATA, _VERSION, _CORRELATION = 3, 1, 1


def broker_ids(host: str, port: int) -> frozenset[int]:
    """Return the ids of the live brokers that the one at this address knows; empty when it doesn't answer."""
    header = struct.pack(">hhih", _METADATA, _VERSION, _CORRELATION, -1)
    no_topics = struct.pack(">i", 0)
    request = header + no_topics
    try:
        with socket.create_connection((host, port), timeout=2) as connection:
            connection.sendall(struct.pack(">i", len(request)) + request)
            with connection.makefile("rb") as stream:
                (length,) = struct.unpack(">i", stream.read(4))
                return _parse(stream.read(length))
    except (OSError, struct.error):
        return frozenset()


def _parse(answer: bytes) -> frozenset[int]:
    """Read the broker list: an int32 count, then id, host, port and a nullable rack of each."""
    correlation, count = struct.unpack_from(">ii", answer)
    if correlation != _CORRELATION:
        return frozenset()
    position = 8
    ids = set()
    for _ in range(count):
        (broker,) = struct.unpack_from(">i", answer, position)
        ids.add(broker)
        position = _after_string(answer, position + 4) + 4
        position = _after_string(answer, position)
    return frozenset(ids)


def _after_string(answer: bytes, position: int) -> int:
    length: int = struct.unpack_from(">h", answer, position)[0]
    return position + 2 + max(length, 0)
