"""Whether the server can do its work now."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import structlog
from grpc_health.v1 import health_pb2
from grpc_health.v1.health import aio

PROBE_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Readiness:
    """Asks again and again, and has grpc.health.v1 say the answer."""

    def __init__(
        self,
        probe: Callable[[], Awaitable[bool]],
        health: aio.HealthServicer,
        services: Sequence[str],
        interval: float = PROBE_SECONDS,
    ) -> None:
        """`services`: names that health is asked for, besides the empty one of the server as a whole."""
        self._probe = probe
        self._health = health
        self._services = ("", *services)
        self._interval = interval
        self._ready = False
        self._ended = False

    @property
    def is_ready(self) -> bool:
        """The latest answer."""
        return self._ready

    async def check(self) -> None:
        """Ask once. A probe that fails is an answer too."""
        try:
            ready = await self._probe()
        except Exception:
            _log.exception("readiness probe failed")
            ready = False
        if self._ended:
            return
        if ready != self._ready:
            _log.info("readiness changed", ready=ready)
        await self._say(ready)

    async def watch(self) -> None:
        """Ask for ever."""
        while True:
            await asyncio.sleep(self._interval)
            await self.check()

    async def end(self) -> None:
        """Say that the server is not ready, for good."""
        self._ended = True
        self._ready = False
        await self._health.enter_graceful_shutdown()

    async def _say(self, ready: bool) -> None:
        self._ready = ready
        status = health_pb2.HealthCheckResponse.SERVING if ready else health_pb2.HealthCheckResponse.NOT_SERVING
        for service in self._services:
            await self._health.set(service, status)
