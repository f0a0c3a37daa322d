"""How often an address and a user may call, whatever they call by."""

import ipaddress
from functools import lru_cache

from chat4all_core.config import LimitSection
from chat4all_core.domain.ids import UserId
from chat4all_core.ports.rate_limiter import RateLimit, RateLimiter

FORWARDED_FOR = "x-forwarded-for"


class CallLimits:
    """What may be taken, and where from. A call takes once for its address, before anything else is done for it, and
    once for its user, when that is known."""

    def __init__(self, limiter: RateLimiter, section: LimitSection) -> None:
        self._limiter = limiter
        self._of_user = _limit(section.user_per_second, section.user_burst)
        self._of_address = _limit(section.address_per_second, section.address_burst)

    @property
    def limits_addresses(self) -> bool:
        """Whether there is a limit for addresses."""
        return self._of_address is not None

    @property
    def limits_users(self) -> bool:
        """Whether there is a limit for users."""
        return self._of_user is not None

    async def take_of_address(self, forwarded_for: str | None, peer: str) -> None:
        """Count a call of an address.

        Args:
            forwarded_for: the header of that name. Envoy writes down last whom it sees.
            peer: the address at the other end of the connection, which counts when there is no such header.

        Raises:
            ResourceExhaustedError: RATE_LIMITED.
        """
        if self._of_address is not None:
            address = forwarded_for.rpartition(",")[2].strip() if forwarded_for else peer
            await self._limiter.take(f"address:{_network(address)}", self._of_address)

    async def take_of_user(self, user_id: UserId) -> None:
        """Count a call of a user.

        Raises:
            ResourceExhaustedError: RATE_LIMITED.
        """
        if self._of_user is not None:
            await self._limiter.take(f"user:{user_id}", self._of_user)


def _limit(rate: float, burst: int) -> RateLimit | None:
    return RateLimit(rate, burst) if rate else None


@lru_cache(10_000)
def _network(address: str) -> str:
    """An IPv4 address, or the network that an IPv6 address shares with those that its owner can take at will."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]  # such as a Unix socket's
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    if mapped is not None or parsed.version == 4:
        return str(mapped or parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
