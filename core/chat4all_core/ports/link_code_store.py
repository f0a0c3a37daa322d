"""Codes by which users prove that an address on a channel is theirs."""

from dataclasses import dataclass
from typing import Protocol

from chat4all_core.domain.channel import ChannelAddress
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.timestamp import Timestamp


@dataclass(frozen=True, slots=True)
class LinkCode:
    """A code that was sent to an address for a user."""

    user_id: UserId
    address: ChannelAddress
    code_hash: bytes
    expires_at: Timestamp


class LinkCodeStore(Protocol):
    """The newest code of each user and address. Each method raises UnavailableError."""

    async def put(self, code: LinkCode, tries: int) -> None:
        """Keep a code that may be tried so often, instead of the one before."""
        ...

    async def take_try(self, user_id: UserId, address: ChannelAddress, now: Timestamp) -> bytes | None:
        """Use up one of a code's tries, before anybody is told how it went.

        Returns:
            The code's hash; None when there is no code, it has expired, or it was tried too often.
        """
        ...

    async def forget(self, user_id: UserId, address: ChannelAddress) -> None:
        """Drop the code."""
        ...
