"""Messages as rows."""

import json
from typing import Any

from chat4all_core.domain.file import decode_attachment, encode_attachment
from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.message import AcceptedMessage, StoredMessage, decode_routes, encode_routes
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp

COLUMNS = (
    "sequence, conversation_id, generation, partition, offset, message_id, sender, accepted_at, "
    "membership_version, reply_to, metadata, text, file, routes"
)
"""What `from_row` wants."""

BUCKET = 10_000
"""Sequences in a partition. It can't be changed: rows would not be found any more."""

INSERT_MESSAGE = f"INSERT INTO messages (bucket, {COLUMNS}) VALUES ({', '.join('?' * 15)}) USING TIMESTAMP ?"

INSERT_POSITION = (
    "INSERT INTO message_positions (message_id, conversation_id, sequence, generation, partition, offset)"
    " VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?"
)


def message_values(stored: StoredMessage) -> tuple[Any, ...]:
    """For INSERT_MESSAGE. What is absent is written as empty, for a null would be a tombstone."""
    message, source = stored.message, stored.source
    return (
        bucket_of(stored.sequence),
        stored.sequence,
        message.conversation_id,
        source.generation,
        source.partition,
        source.offset,
        message.message_id,
        message.sender,
        message.accepted_at,
        message.membership_version,
        message.reply_to or "",
        "" if message.metadata is None else json.dumps(dict(message.metadata), ensure_ascii=False),
        message.text,
        "" if message.file is None else encode_attachment(message.file),
        encode_routes(message.routes) if message.routes else "",
        write_time(source),
    )


def position_values(stored: StoredMessage) -> tuple[Any, ...]:
    """For INSERT_POSITION."""
    message, source = stored.message, stored.source
    return (
        message.message_id,
        message.conversation_id,
        stored.sequence,
        source.generation,
        source.partition,
        source.offset,
        write_time(source),
    )


def from_row(row: tuple[Any, ...]) -> StoredMessage:
    """The message of a row with COLUMNS."""
    (sequence, conversation_id, generation, partition, offset, message_id, sender, accepted_at) = row[:8]
    (membership_version, reply_to, metadata, text, file, routes) = row[8:]
    message = AcceptedMessage(
        message_id=message_id,
        conversation_id=ConversationId(conversation_id),
        sender=sender,
        text=text,
        accepted_at=Timestamp(accepted_at),
        membership_version=membership_version,
        reply_to=reply_to or None,
        metadata=json.loads(metadata) if metadata else None,
        file=decode_attachment(file) if file else None,
        routes=decode_routes(routes) if routes else (),
    )
    return StoredMessage(message, sequence, Source(generation, partition, offset))


def bucket_of(sequence: int) -> int:
    """Which partition of a conversation a sequence lies in."""
    return sequence // BUCKET


def ends_bucket(sequence: int) -> bool:
    """Whether the next sequence lies in the next partition."""
    return (sequence + 1) % BUCKET == 0


def write_time(source: Source) -> int:
    """The timestamp of a write that a log record causes: of two writes of one row, the newer record's stays."""
    return (source.generation << 48) + source.offset
