"""One connection per process on which Redis tells of what is published.

It is opened anew whenever it fails; what was published meanwhile is lost, so the listener is told of each channel that
is confirmed again. In a cluster any node tells of everything.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import groupby
from typing import Protocol

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError

from chat4all_core.adapters.redis.client import RedisClient
from chat4all_core.adapters.redis.errors import unavailable

_log = logging.getLogger(__name__)

_CHANNELS_PER_COMMAND = 500
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0  # seconds between tries to connect


class Listener(Protocol):
    """Who is told."""

    def publish(self, channel: str, message: bytes) -> None:
        """Something was published."""
        ...

    def miss(self, channel: str) -> None:
        """Something may have been published unheard."""
        ...


class Subscriptions:
    """Channels, each subscribed to once however many listen."""

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._confirmed: dict[str, asyncio.Future[None]] = {}
        self._unanswered: dict[str, int] = {}
        self._commands: deque[tuple[str, str]] = deque()
        self._commanded = asyncio.Event()
        self._connected = False
        self._heard = False

    async def subscribe(self, channel: str) -> None:
        """Hear a channel from now on; also for one that is subscribed to.

        Raises:
            UnavailableError: Redis does not confirm it in time.
        """
        if channel not in self._confirmed:
            self._confirmed[channel] = asyncio.get_running_loop().create_future()
            self._command("SUBSCRIBE", channel)
        try:
            async with asyncio.timeout(self._client.timeout):
                await asyncio.shield(self._confirmed[channel])
        except TimeoutError:
            raise unavailable("it does not confirm a subscription") from None

    def unsubscribe(self, channel: str) -> None:
        """Hear a channel no more, whoever subscribed to it."""
        if confirmed := self._confirmed.pop(channel, None):
            confirmed.cancel()
            self._command("UNSUBSCRIBE", channel)

    async def run(self, listener: Listener) -> None:
        """Keep the connection, until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            try:
                async with self._connection() as connection:
                    pause = _FIRST_PAUSE
                    await self._serve(connection, listener)
            except* (RedisError, OSError) as errors:
                _log.warning("the connection that tells of events is lost: %s", errors.exceptions[0])
            self._connected = False
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[AbstractConnection]:
        connection = self._client.new_connection()
        try:
            async with asyncio.timeout(2 * self._client.timeout):  # to connect, and to log in
                await connection.connect()  # type: ignore[no-untyped-call] # so in the driver
            yield connection
        finally:
            await connection.disconnect(nowait=True)

    async def _serve(self, connection: AbstractConnection, listener: Listener) -> None:
        self._commands.clear()
        self._unanswered.clear()
        self._connected = True
        for channel in self._confirmed:
            self._command("SUBSCRIBE", channel)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._read(connection, listener))
            tasks.create_task(self._write(connection))
            tasks.create_task(self._probe(connection))

    def _command(self, verb: str, channel: str) -> None:
        if not self._connected:
            return  # all are subscribed to once it is
        if verb == "SUBSCRIBE":
            self._unanswered[channel] = self._unanswered.get(channel, 0) + 1
        self._commands.append((verb, channel))
        self._commanded.set()

    async def _write(self, connection: AbstractConnection) -> None:
        while True:
            await self._commanded.wait()
            self._commanded.clear()
            while self._commands:
                some = [self._commands.popleft() for _ in range(min(_CHANNELS_PER_COMMAND, len(self._commands)))]
                for verb, commands in groupby(some, lambda command: command[0]):
                    await connection.send_command(verb, *(channel for _, channel in commands))

    async def _probe(self, connection: AbstractConnection) -> None:
        # A connection whose other end is gone without a word is silent as one without events is, but does not answer.
        while True:
            self._heard = False
            await connection.send_command("PING")
            await asyncio.sleep(self._client.timeout)
            if not self._heard:
                raise OSError("no answer")

    async def _read(self, connection: AbstractConnection, listener: Listener) -> None:
        while True:
            answer = await connection.read_response()
            self._heard = True
            match answer:
                case [b"message", channel, message]:
                    listener.publish(channel.decode(), message)
                case [b"subscribe", channel, _]:
                    self._confirm(channel.decode(), listener)

    def _confirm(self, channel: str, listener: Listener) -> None:
        # An answer to an earlier subscription, which was ended since, does not count for the present one.
        self._unanswered[channel] -= 1
        if self._unanswered[channel]:
            return
        del self._unanswered[channel]
        confirmed = self._confirmed.get(channel)
        if confirmed is not None:
            if confirmed.done():
                listener.miss(channel)
            else:
                confirmed.set_result(None)
