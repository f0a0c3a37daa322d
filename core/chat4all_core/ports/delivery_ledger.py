"""What was done about each delivery, so that no channel is told the same thing twice.

Words. A delivery is told to its channel in one or several *parts* (a long text is split), numbered from 0. Whoever is
about to tell one *claims* it, does so within the claim's *lease*, and then *settles* it.
"""

from dataclasses import dataclass
from typing import Protocol

from chat4all_core.domain.channel import ProviderId
from chat4all_core.domain.delivery import DeliveryFailure, DeliveryId
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.timestamp import Timestamp


@dataclass(frozen=True, slots=True)
class LedgerKey:
    """One part of one attempt of a delivery."""

    delivery_id: DeliveryId
    attempt: int
    part: int


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody tells the channel, or has begun to and never said how it ended."""

    owner: str
    lease_until: Timestamp


@dataclass(frozen=True, slots=True)
class Settlement:
    """How it ended."""

    state: DeliveryState
    """SENT (the channel has it), FAILED, or UNKNOWN."""
    time: Timestamp
    """When that was known."""
    provider_id: ProviderId | None = None
    failure: DeliveryFailure | None = None
    """Of FAILED."""


class DeliveryLedger(Protocol):
    """Entries are kept for at least 30 days."""

    async def find(self, key: LedgerKey) -> Claim | Settlement | None:
        """What stands, without claiming anything; None when nobody has.

        Raises:
            UnavailableError.
        """
        ...

    async def claim(self, key: LedgerKey, claim: Claim) -> Claim | Settlement | None:
        """Claim a part that nobody has claimed.

        Returns:
            None when it is claimed now. Otherwise what stands: a settlement; or a claim, whose owner may have told
            the channel, so that it must not be told again, also after the lease, until evidence comes.

        Raises:
            UnavailableError: it may be claimed all the same: the owner's own claim is what the next call returns.
        """
        ...

    async def settle(self, key: LedgerKey, settlement: Settlement) -> None:
        """Say how it ended. SENT and FAILED are final; UNKNOWN yields to them. What was never claimed, or is not kept
        any more, can't be settled: nothing happens.

        Raises:
            UnavailableError: call again; nobody else will.
        """
        ...

    async def record(self, key: LedgerKey, settlement: Settlement) -> None:
        """Say how something stands that nobody tells and nobody ever claims: what a person wrote is with them already.
        Saying it again changes nothing.

        Raises:
            UnavailableError: call again.
        """
        ...

    async def release(self, key: LedgerKey, owner: str) -> None:
        """Give back one's own claim on a part of which the channel certainly has nothing: it may be claimed anew.

        Raises:
            UnavailableError.
        """
        ...
