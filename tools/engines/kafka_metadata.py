"""Two requests of Kafka's protocol, enough to learn whether a broker serves, which brokers it knows and which one is
the controller."""

import socket
import struct

_METADATA, _DESCRIBE_QUORUM = 3, 55
_CORRELATION = 1
_QUORUM_TOPIC = b"__cluster_metadata"


def broker_ids(host: str, port: int) -> frozenset[int]:
    """Return the ids of the live brokers that the one at this address knows; empty when it doesn't answer."""
    no_topics = struct.pack(">i", 0)
    try:
        return _parse_brokers(_ask(host, port, struct.pack(">hhih", _METADATA, 1, _CORRELATION, -1) + no_topics))
    except (OSError, struct.error):
        return frozenset()


def controller_id(host: str, port: int) -> int | None:
    """Return the id of the quorum's leader, the active controller, as the broker at this address knows it; None when
    it can't tell."""
    header = struct.pack(">hhihb", _DESCRIBE_QUORUM, 0, _CORRELATION, -1, 0)
    # Lengths are one more than they are, in the compact form; a zero ends each structure: no tagged fields.
    partitions = struct.pack(">bib", 2, 0, 0)
    topics = struct.pack(">bb", 2, len(_QUORUM_TOPIC) + 1) + _QUORUM_TOPIC + partitions + b"\0"
    try:
        return _parse_leader(_ask(host, port, header + topics + b"\0"))
    except (OSError, struct.error):
        return None


def _ask(host: str, port: int, request: bytes) -> bytes:
    with socket.create_connection((host, port), timeout=2) as connection:
        connection.sendall(struct.pack(">i", len(request)) + request)
        with connection.makefile("rb") as stream:
            (length,) = struct.unpack(">i", stream.read(4))
            return stream.read(length)


def _parse_brokers(answer: bytes) -> frozenset[int]:
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


def _parse_leader(answer: bytes) -> int | None:
    """Read the leader of the only partition of the only topic, behind errors, counts, the topic's name and the
    partition's number."""
    correlation, _, error = struct.unpack_from(">ibh", answer)
    if correlation != _CORRELATION or error:
        return None
    _, partition_error, leader = struct.unpack_from(">ihi", answer, 7 + 2 + len(_QUORUM_TOPIC) + 1)
    return leader if not partition_error and leader >= 0 else None


def _after_string(answer: bytes, position: int) -> int:
    length: int = struct.unpack_from(">h", answer, position)[0]
    return position + 2 + max(length, 0)
