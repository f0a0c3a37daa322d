"""The simulated services by name."""

from collections.abc import Sequence

from tools.simulators.customer_actions import UnknownTargetError
from tools.simulators.service import Service


class Services:
    """All of them."""

    def __init__(self, services: Sequence[Service]) -> None:
        self._services = {str(service.channel): service for service in services}

    def all(self) -> list[Service]:
        """Every service."""
        return list(self._services.values())

    def named(self, channel: str) -> Service:
        """A channel's service.

        Raises:
            UnknownTargetError: there is no such channel.
        """
        if channel not in self._services:
            raise UnknownTargetError(f"there is no channel {channel}")
        return self._services[channel]
