"""Refuses calls that come too often."""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import unquote

from chat4all_core.config import LimitSection
from chat4all_core.ports.rate_limiter import RateLimit, RateLimiter
from chat4all_server.interceptors.authentication import caller
from chat4all_server.interceptors.interceptor import Behavior, Context, Interceptor, Method, header

FORWARDED_FOR = "x-forwarded-for"

_UNLIMITED = frozenset(
    {"/grpc.health.v1.Health/", "/grpc.reflection.v1alpha.ServerReflection/", "/grpc.channelz.v1.Channelz/"}
)
"""Services by which a platform is watched: they must answer when it is under pressure."""


class CallLimits:
    """What may be taken, and where from."""

    def __init__(self, limiter: RateLimiter, section: LimitSection) -> None:
        self.limiter = limiter
        self.of_user = _limit(section.user_per_second, section.user_burst)
        self.of_address = _limit(section.address_per_second, section.address_burst)


class AddressLimit(Interceptor):
    """Refuses with RATE_LIMITED what one address sends too often, whoever it says it is."""

    def __init__(self, limits: CallLimits) -> None:
        super().__init__()
        self._limiter = limits.limiter
        self._limit = limits.of_address

    def wrap(self, method: Method, behavior: Behavior) -> Behavior:
        """The behavior, limited."""
        limit = self._limit
        if limit is None or method.service in _UNLIMITED:
            return behavior

        async def limited(request: Any, context: Context) -> Any:
            await self._limiter.take(f"address:{_network(_address(context))}", limit)
            return await behavior(request, context)

        return limited


class UserLimit(Interceptor):
    """Refuses with RATE_LIMITED what one user sends too often, from wherever."""

    def __init__(self, limits: CallLimits, public_methods: Iterable[str]) -> None:
        """`public_methods`: where it is not known who calls; see Authentication."""
        super().__init__()
        self._limiter = limits.limiter
        self._limit = limits.of_user
        self._public_methods = frozenset(public_methods)

    def wrap(self, method: Method, behavior: Behavior) -> Behavior:
        """The behavior, limited."""
        limit = self._limit
        anonymous = method.path in self._public_methods or method.service in self._public_methods
        if limit is None or anonymous or method.service in _UNLIMITED:
            return behavior

        async def limited(request: Any, context: Context) -> Any:
            await self._limiter.take(f"user:{caller().user_id}", limit)
            return await behavior(request, context)

        return limited


def _limit(rate: float, burst: int) -> RateLimit | None:
    return RateLimit(rate, burst) if rate else None


def _address(context: Context) -> str:
    """Who is at the other end of Envoy, which writes down last whom it sees; otherwise of the connection."""
    forwarded = header(context, FORWARDED_FOR)
    if forwarded:
        return forwarded.rpartition(",")[2].strip()
    # As gRPC writes it: ipv4:127.0.0.1:50051, ipv6:%5B::1%5D:50051.
    _, _, address = unquote(context.peer()).partition(":")
    return address.rpartition(":")[0].strip("[]")


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
