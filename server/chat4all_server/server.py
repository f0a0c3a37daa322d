"""The life of a server: start, serve, drain, stop."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any

import grpc
from aiohttp import web

from chat4all_core.app.drain_signal import DrainSignal
from chat4all_server.janitor import Janitor
from chat4all_server.readiness import Readiness


class PortError(Exception):
    """A port can't be had. The message says which setting names it."""

    def __init__(self, setting: str, address: str, port: int) -> None:
        super().__init__(
            f"{setting}: can't listen on {address} port {port}; is it taken by another process? "
            f"Set {setting} to a free port."
        )


class Server:
    """The gRPC port and the web port of one process."""

    def __init__(
        self,
        *,
        grpc_server: grpc.aio.Server,
        application: web.Application,
        readiness: Readiness,
        drain: DrainSignal,
        address: str,
        grpc_port: int,
        web_port: int,
        janitor: Janitor,
    ) -> None:
        """Port 0 means any free one."""
        self._grpc_server = grpc_server
        self._application = application
        self._readiness = readiness
        self._drain = drain
        self._janitor = janitor
        self._address = address
        self._wanted_grpc_port = grpc_port
        self._wanted_web_port = web_port
        self._running = AsyncExitStack()
        self.grpc_port = 0
        """The port that was bound. Known once started."""
        self.web_port = 0
        """The same."""

    async def start(self) -> None:
        """Serve. Once, and nothing is left open when it fails.

        Raises:
            PortError: a port is taken.
        """
        async with AsyncExitStack() as starting:
            self.web_port = await self._start_web(starting)
            await self._readiness.check()
            self.grpc_port = await self._start_grpc(starting)
            for background in self._background():
                starting.push_async_callback(_cancel, asyncio.create_task(background))
            self._running = starting.pop_all()

    async def withdraw(self) -> None:
        """Say that the server is not ready, and serve on: whoever spreads the calls goes elsewhere."""
        await self._readiness.end()

    async def stop(self, grace: float) -> None:
        """Take no more calls, tell subscribers to go elsewhere, and let calls finish for up to `grace` seconds."""
        await self._readiness.end()
        self._drain.set()
        await self._grpc_server.stop(grace)
        await self._running.aclose()

    def _background(self) -> list[Coroutine[Any, Any, None]]:
        return [self._readiness.watch(), self._janitor.run()]

    async def _start_grpc(self, starting: AsyncExitStack) -> int:
        host = f"[{self._address}]" if ":" in self._address else self._address
        try:
            port = self._grpc_server.add_insecure_port(f"{host}:{self._wanted_grpc_port}")
        except RuntimeError as error:
            raise PortError("CHAT4ALL_SERVER_GRPC_PORT", self._address, self._wanted_grpc_port) from error
        starting.push_async_callback(self._grpc_server.stop, None)
        await self._grpc_server.start()
        return port

    async def _start_web(self, starting: AsyncExitStack) -> int:
        runner = web.AppRunner(self._application, access_log=None)
        starting.push_async_callback(runner.cleanup)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._address, self._wanted_web_port).start()
        except OSError as error:
            raise PortError("CHAT4ALL_SERVER_WEB_PORT", self._address, self._wanted_web_port) from error
        port: int = runner.addresses[0][1]
        return port


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
