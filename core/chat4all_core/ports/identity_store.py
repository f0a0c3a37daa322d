"""Which user an address of a channel belongs to."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chat4all_core.domain.channel import ChannelAddress
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.timestamp import Timestamp


@dataclass(frozen=True, slots=True)
class Identity:
    """A user's address on a channel, proven to be theirs."""

    user_id: UserId
    address: ChannelAddress
    linked_at: Timestamp


class IdentityStore(Protocol):
    """An address belongs to one user at most."""

    async def link(self, identity: Identity) -> Identity:
        """Link an address unless it is linked; returns what is stored afterwards (compare `user_id`).

        Raises:
            UnavailableError.
        """
        ...

    async def unlink(self, user_id: UserId, address: ChannelAddress) -> bool:
        """Undo it; whether it was linked to this user.

        Raises:
            UnavailableError.
        """
        ...

    async def owner(self, address: ChannelAddress) -> UserId | None:
        """Whose it is.

        Raises:
            UnavailableError.
        """
        ...

    async def identities_of(self, user_ids: Collection[UserId]) -> Mapping[UserId, Sequence[Identity]]:
        """Everything linked to these users, ordered by address; users without any are left out.

        Raises:
            UnavailableError.
        """
        ...
