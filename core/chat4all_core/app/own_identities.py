"""Use case: see which addresses are linked to one's account, and give them up."""

from collections.abc import Sequence

from chat4all_core.domain.channel import ChannelAddress, ChannelName
from chat4all_core.domain.errors import NotFoundError, Reason
from chat4all_core.domain.ids import UserId
from chat4all_core.ports.identity_store import Identity, IdentityStore


class OwnIdentities:
    """The addresses of the caller."""

    def __init__(self, identities: IdentityStore) -> None:
        self._identities = identities

    async def list(self, caller: UserId) -> Sequence[Identity]:
        """All of them, ordered by address."""
        return (await self._identities.identities_of([caller])).get(caller, ())

    async def unlink(self, caller: UserId, channel: str, address: str) -> None:
        """Give an address up; also one of a channel that is not configured any more.

        Raises:
            NotFoundError: IDENTITY_NOT_FOUND.
        """
        if not await self._identities.unlink(caller, ChannelAddress(ChannelName(channel), address)):
            raise NotFoundError(
                Reason.IDENTITY_NOT_FOUND,
                "that address is not linked to your account",
                {"channel": channel, "address": address},
            )
