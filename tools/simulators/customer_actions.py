"""What a person can do by hand as somebody's customer."""

from dataclasses import dataclass
from typing import Protocol


class UnknownTargetError(Exception):
    """There is no such account, conversation or message."""


class UnsupportedActionError(Exception):
    """The service doesn't have this."""


@dataclass(frozen=True, slots=True)
class CustomerFile:
    """A file that a customer sends."""

    content: bytes
    mime_type: str
    filename: str


@dataclass(frozen=True, slots=True)
class CustomerMessage:
    """What a customer sends: a text, a file with or without a text below it, or what the service can't show."""

    text: str = ""
    file: CustomerFile | None = None
    reply_to: str | None = None
    name: str | None = None
    """What the customer is called from now on."""
    unsupported: bool = False


class CustomerActions(Protocol):
    """The customers of one service. Every action may raise UnknownTargetError, and UnsupportedActionError where the
    service doesn't have it."""

    async def send(self, account: str, customer: str, message: CustomerMessage) -> str:
        """Write to the account, which opens the window; the answer is the message's id."""
        ...

    def react(self, account: str, customer: str, message_id: str, emoji: str) -> None:
        """React to a message; an empty emoji takes the reaction back."""
        ...

    def edit(self, account: str, customer: str, message_id: str, text: str) -> None:
        """Change an own message."""
        ...

    def delete(self, account: str, customer: str, message_id: str) -> None:
        """Take an own message back."""
        ...

    def read(self, account: str, customer: str, message_id: str | None) -> int:
        """Read a message, or all; the answer is how many were unread."""
        ...

    def set_window(self, account: str, customer: str, is_open: bool) -> None:
        """Open the window as if the customer had just written, or close it as if that was long ago."""
        ...

    def set_reachable(self, account: str, customer: str, is_reachable: bool) -> None:
        """Block the account, or no more."""
        ...
