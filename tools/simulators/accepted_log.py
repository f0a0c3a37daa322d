"""Every message that a service accepted, in the order in which it did."""

import itertools
from collections import deque
from dataclasses import dataclass

from .channel import Channel
from .media_store import MediaFacts


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """A message that its customer gets."""

    position: int
    """Counts all channels' messages, from 1."""
    channel: Channel
    account: str
    recipient: str
    message_id: str
    type: str
    text: str
    """The body or the caption."""
    opaque: str | None
    """WhatsApp's biz_opaque_callback_data."""
    reply_to: str | None
    media: MediaFacts | None
    accepted_at: float
    """Seconds since 1970."""
    answered: bool
    """False when the connection was dropped instead of an answer."""


class AcceptedLog:
    """The newest `size` messages."""

    def __init__(self, size: int) -> None:
        self._messages: deque[AcceptedMessage] = deque(maxlen=size)
        self._positions = itertools.count(1)

    def next_position(self) -> int:
        """The position of the message that is accepted next."""
        return next(self._positions)

    def append(self, message: AcceptedMessage) -> None:
        """Note a message."""
        self._messages.append(message)

    def read(
        self,
        *,
        channel: str | None = None,
        account: str | None = None,
        recipient: str | None = None,
        after: int = 0,
        limit: int = 100_000,
    ) -> list[AcceptedMessage]:
        """At most `limit` messages behind a position that match what is given, in order."""
        matching = (
            message
            for message in self._messages
            if message.position > after
            and channel in (None, message.channel)
            and account in (None, message.account)
            and recipient in (None, message.recipient)
        )
        return list(itertools.islice(matching, limit))
