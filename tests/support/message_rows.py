"""Messages to store, made by the hundred."""

import uuid
from collections.abc import Iterable

from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId, UserId
from chat4all_core.domain.message import AcceptedMessage, StoredMessage
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp


def new_conversation() -> ConversationId:
    """An id that nobody uses."""
    return ConversationId(str(uuid.uuid4()))


def user(name: str) -> UserId:
    """A participant."""
    return UserId(ParticipantId(name))


def message_rows(conversation: ConversationId, sequences: Iterable[int], text: str = "text") -> list[StoredMessage]:
    """Messages whose records have their sequences as offsets, of ten senders in turn."""
    return [
        StoredMessage(
            AcceptedMessage(
                message_id=MessageId(str(uuid.uuid4())),
                conversation_id=conversation,
                sender=user(f"user {sequence % 10}"),
                text=text,
                accepted_at=Timestamp(1_700_000_000_000_000 + sequence),
                membership_version=1,
            ),
            sequence,
            Source(1, 3, sequence),
        )
        for sequence in sequences
    ]
