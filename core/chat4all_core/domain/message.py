"""Messages: what a client may send, what was accepted, and what is stored."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.errors import InvalidArgumentError, Violation
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.ids import ConversationId, MessageId, ParticipantId, UserId
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp

MAX_TEXT_BYTES = 10_240
MAX_METADATA_KEYS = 16
MAX_METADATA_KEY_BYTES = 64
MAX_METADATA_VALUE_BYTES = 512


@dataclass(frozen=True, slots=True)
class DeliveryRoute:
    """An address at which a recipient who is a user is to be reached besides."""

    recipient: UserId
    to: ChannelAddress


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """A message as it was accepted: all that routing it needs, so that routing is a pure function."""

    message_id: MessageId
    conversation_id: ConversationId
    sender: ParticipantId
    """A user, or a channel address where a person wrote there."""
    text: str
    accepted_at: Timestamp
    membership_version: int
    """Its recipients are the participants of exactly this version of the conversation."""
    reply_to: MessageId | None = None
    metadata: Mapping[str, str] | None = None
    file: Attachment | None = None
    routes: tuple[DeliveryRoute, ...] = ()
    """As they were linked when it was accepted. Participants who are channel addresses need none."""


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message with its place in the conversation."""

    message: AcceptedMessage
    sequence: int
    """1, 2, 3, … within the conversation, with no gap."""
    source: Source
    """The log record that it came from."""


def encode_routes(routes: Iterable[DeliveryRoute]) -> str:
    """As stores keep them: a JSON array of [recipient, channel, address]."""
    return json.dumps([(route.recipient, route.to.channel, route.to.address) for route in routes])


def decode_routes(text: str) -> tuple[DeliveryRoute, ...]:
    """The reverse."""
    return tuple(
        DeliveryRoute(recipient, ChannelAddress(ChannelName(channel), address))
        for recipient, channel, address in json.loads(text)
    )


def check_content(text: str, metadata: Mapping[str, str], *, has_file: bool = False) -> None:
    """Refuse what a message may not hold.

    Raises:
        InvalidArgumentError: with a violation for each thing that is wrong.
    """
    violations = [*_text_violations(text, has_file), *_metadata_violations(metadata)]
    if violations:
        first = violations[0]
        raise InvalidArgumentError(f"{first.field}: {first.description}", *violations)


def _text_violations(text: str, has_file: bool) -> list[Violation]:
    if not text and not has_file:
        return [Violation("text", "must not be empty")]
    # Four bytes a character at most, so most texts need no encoding to be known as short enough.
    if len(text) * 4 > MAX_TEXT_BYTES and len(text.encode()) > MAX_TEXT_BYTES:
        return [Violation("text", f"must be at most {MAX_TEXT_BYTES} bytes of UTF-8, is {len(text.encode())}")]
    if "\0" in text:
        return [Violation("text", "must not hold the character NUL")]
    return []


def _metadata_violations(metadata: Mapping[str, str]) -> list[Violation]:
    if len(metadata) > MAX_METADATA_KEYS:
        return [Violation("metadata", f"must have at most {MAX_METADATA_KEYS} keys, has {len(metadata)}")]
    violations = []
    for key, value in metadata.items():
        if not key or len(key.encode()) > MAX_METADATA_KEY_BYTES or "\0" in key:
            violations.append(
                Violation("metadata", f"keys must have 1 to {MAX_METADATA_KEY_BYTES} bytes of UTF-8 without NUL")
            )
        if len(value.encode()) > MAX_METADATA_VALUE_BYTES or "\0" in value:
            violations.append(
                Violation("metadata", f"values must have at most {MAX_METADATA_VALUE_BYTES} bytes without NUL")
            )
    return violations
