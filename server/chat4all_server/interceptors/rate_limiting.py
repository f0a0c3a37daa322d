"""Refuses calls that come too often."""

from collections.abc import Iterable
from typing import Any
from urllib.parse import unquote

from chat4all_server.call_limits import FORWARDED_FOR, CallLimits
from chat4all_server.interceptors.authentication import caller
from chat4all_server.interceptors.interceptor import Behavior, Context, Interceptor, Method, header

_UNLIMITED = frozenset(
    {"/grpc.health.v1.Health/", "/grpc.reflection.v1alpha.ServerReflection/", "/grpc.channelz.v1.Channelz/"}
)
"""Services by which a platform is watched: they must answer when it is under pressure."""


class AddressLimit(Interceptor):
    """Refuses with RATE_LIMITED what one address sends too often, whoever it says it is."""

    def __init__(self, limits: CallLimits) -> None:
        super().__init__()
        self._limits = limits

    def wrap(self, method: Method, behavior: Behavior) -> Behavior:
        """The behavior, limited."""
        if not self._limits.limits_addresses or method.service in _UNLIMITED:
            return behavior

        async def limited(request: Any, context: Context) -> Any:
            await self._limits.take_of_address(header(context, FORWARDED_FOR), _peer(context))
            return await behavior(request, context)

        return limited


class UserLimit(Interceptor):
    """Refuses with RATE_LIMITED what one user sends too often, from wherever."""

    def __init__(self, limits: CallLimits, public_methods: Iterable[str]) -> None:
        """`public_methods`: where it is not known who calls; see Authentication."""
        super().__init__()
        self._limits = limits
        self._public_methods = frozenset(public_methods)

    def wrap(self, method: Method, behavior: Behavior) -> Behavior:
        """The behavior, limited."""
        anonymous = method.path in self._public_methods or method.service in self._public_methods
        if not self._limits.limits_users or anonymous or method.service in _UNLIMITED:
            return behavior

        async def limited(request: Any, context: Context) -> Any:
            await self._limits.take_of_user(caller().user_id)
            return await behavior(request, context)

        return limited


def _peer(context: Context) -> str:
    """As gRPC writes it: ipv4:127.0.0.1:50051, ipv6:%5B::1%5D:50051."""
    _, _, address = unquote(context.peer()).partition(":")
    return address.rpartition(":")[0].strip("[]")
