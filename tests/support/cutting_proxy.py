"""A TCP proxy that counts what clients send, and cuts their connections off."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_PIECE = 64 << 10
_AT_ONCE = struct.pack("ii", 1, 0)
"""For SO_LINGER: closing sends a reset, and whatever waits to be sent is lost."""


class CuttingProxy:
    """Between clients and one port of this machine. It holds next to nothing itself."""

    def __init__(self, target_port: int) -> None:
        self.port = 0
        self.sent = 0
        """Bytes that came from clients, on all connections together."""
        self._target_port = target_port
        self._writers: set[asyncio.StreamWriter] = set()
        self._moved = asyncio.Condition()

    async def passed(self, sent: int) -> None:
        """Wait until clients have sent so much."""
        async with self._moved:
            await self._moved.wait_for(lambda: self.sent >= sent)

    def cut(self) -> None:
        """Reset every connection, on both sides."""
        for writer in self._writers:
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, until either side ends it."""
        try:
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._target_port)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, to_writer}
        self._writers |= both
        for end in both:
            end.transport.set_write_buffer_limits(high=_PIECE)
        try:
            with contextlib.suppress(OSError):
                await asyncio.gather(self._forward(reader, to_writer, True), self._forward(to_reader, writer, False))
        finally:
            self._writers -= both
            for end in both:
                end.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, counted: bool) -> None:
        while data := await reader.read(_PIECE):
            if counted:
                self.sent += len(data)
                async with self._moved:
                    self._moved.notify_all()
            writer.write(data)
            await writer.drain()
        writer.transport.abort()


@asynccontextmanager
async def cutting_proxy(target_port: int) -> AsyncIterator[CuttingProxy]:
    """One that serves."""
    proxy = CuttingProxy(target_port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=_PIECE)
    proxy.port = server.sockets[0].getsockname()[1]
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
        await server.wait_closed()
