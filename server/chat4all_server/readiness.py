"""Whether the server can do its work now."""

import asyncio
from collections.abc import Collection, Mapping

import structlog
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio

from chat4all_core.app.engine_watch import INTERVAL, EngineWatch

WHOLE = ""
"""The name by which health is asked for the server as a whole: with every part."""

_log = structlog.get_logger(__name__)


class Readiness:
    """Has grpc.health.v1 say which services can be used."""

    def __init__(
        self, engines: EngineWatch, health: aio.HealthServicer, services: Mapping[str, Collection[str]]
    ) -> None:
        """`services`: by name, the parts that each can't do without."""
        self._engines = engines
        self._health = health
        self._services = services
        self._said: dict[str, bool] = {}
        self._ended = False

    def away(self, service: str = WHOLE) -> Mapping[str, str]:
        """What a service lacks now, and why; empty when it can be used.

        Raises:
            KeyError: there is no such service.
        """
        if self._ended:
            return {"server": "it is about to end"}
        away = self._engines.away
        if service == WHOLE:
            return away
        needed = self._services[service]
        return {name: reason for name, reason in away.items() if name in needed}

    async def check(self) -> None:
        """Ask once."""
        await self._engines.check()
        if not self._ended:
            await self._say()

    async def watch(self) -> None:
        """Ask for ever."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.check()

    async def end(self) -> None:
        """Say that the server is not ready, for good."""
        self._ended = True
        await self._health.enter_graceful_shutdown()

    async def _say(self) -> None:
        for service in (WHOLE, *self._services):
            ready = not self.away(service)
            if self._said.get(service) != ready:
                self._said[service] = ready
                _log.info("readiness changed", service=service, ready=ready)
                await self._health.set(service, _SERVING if ready else _NOT_SERVING)


_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
