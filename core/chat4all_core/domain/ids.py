"""Identifiers. All are opaque text to everyone but the function that makes them."""

import hashlib
import re
import uuid
from typing import NewType

from chat4all_core.domain.errors import invalid_field

ParticipantId = NewType("ParticipantId", str)
"""Anyone who takes part in a conversation."""

UserId = NewType("UserId", ParticipantId)
"""A participant with an account on the platform (a UUID)."""

ConversationId = NewType("ConversationId", str)
"""A UUID."""

MessageId = NewType("MessageId", str)
"""A UUID."""

FileId = NewType("FileId", str)
"""A UUID."""

UploadId = NewType("UploadId", str)
"""A UUID."""

RequestId = NewType("RequestId", str)
"""A UUID in lower case, chosen by a client to name one send or one creation."""


_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def parse_uuid(field: str, text: str) -> str:
    """The UUID in lower case.

    Raises:
        InvalidArgumentError: it is none; `field` is named in the violation.
    """
    lower = text.lower()
    if not _UUID.fullmatch(lower):
        raise invalid_field(field, "must be a UUID, such as 0190163d-8694-739b-aea5-966c26f8ad91")
    return lower


def parse_request_id(text: str) -> RequestId | None:
    """The request id that a client gave, or None when it gave none.

    Raises:
        InvalidArgumentError: it is not a UUID.
    """
    return RequestId(parse_uuid("request_id", text)) if text else None


def message_id_for(sender: UserId, conversation: ConversationId, request: RequestId) -> MessageId:
    """The id of the message that `request` names: every server computes the same one, so a retry
    needs no look-up (ADR 2)."""
    return MessageId(name_based_uuid("message", sender, conversation, request))


def conversation_id_for(creator: UserId, request: RequestId) -> ConversationId:
    """The id of the group that `request` names."""
    return ConversationId(name_based_uuid("conversation", creator, request))


def direct_conversation_id(one: ParticipantId, other: ParticipantId) -> ConversationId:
    """The id of the one direct conversation between two people, whoever of them asks."""
    return ConversationId(name_based_uuid("direct", *sorted((one, other))))


def name_based_uuid(*parts: str) -> str:
    """A UUID that is made of these parts: always the same, and different for all others."""
    # UUID version 8 (RFC 9562): 122 bits of SHA-256. Lengths keep ("ab", "c") apart from ("a", "bc").
    name = "".join(f"{len(part)}:{part}" for part in parts)
    digest = bytearray(hashlib.sha256(name.encode()).digest()[:16])
    digest[6] = (digest[6] & 0x0F) | 0x80
    digest[8] = (digest[8] & 0x3F) | 0x80
    return str(uuid.UUID(bytes=bytes(digest)))
