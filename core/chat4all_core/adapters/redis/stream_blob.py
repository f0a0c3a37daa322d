"""How an event lies in Redis and is published: a blob that says where it ends, read by the scripts too."""

import struct
from collections.abc import Iterator

from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_core.ports.user_stream import StreamAppend, StreamEvent

# The length of all that follows, that of the conversation's id, and the announced sequence.
_HEADER = struct.Struct(">IHQ")
_LENGTH = 4


def encode_event(append: StreamAppend) -> bytes:
    """The blob of an event."""
    conversation = append.conversation_id.encode()
    length = _HEADER.size - _LENGTH + len(conversation) + len(append.payload)
    return b"".join((_HEADER.pack(length, len(conversation), append.message_sequence), conversation, append.payload))


def decode_events(data: bytes, position: StreamPosition) -> Iterator[StreamEvent]:
    """The events of blobs that lie one behind the other, the first of them after a place."""
    at, offset = 0, position.offset
    while at < len(data):
        length, conversation_length, _ = _HEADER.unpack_from(data, at)
        begin, end = at + _HEADER.size, at + _LENGTH + length
        payload = begin + conversation_length
        offset += 1
        yield StreamEvent(
            StreamPosition(position.epoch, offset), ConversationId(data[begin:payload].decode()), data[payload:end]
        )
        at = end


def decode_publication(data: bytes) -> list[StreamEvent]:
    """The events of a message that the append script published."""
    head, _, blobs = data.partition(b"\n")
    epoch, _, first = head.decode().partition(" ")
    return list(decode_events(blobs, StreamPosition(epoch, int(first) - 1)))
