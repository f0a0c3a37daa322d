"""Asks channels for what has come, where they can't call us."""

import asyncio
import contextlib
from collections.abc import Callable

import structlog

from chat4all_channels.channel import PollError, Polls
from chat4all_core.domain.channel import ChannelName
from chat4all_core.domain.errors import RetryableError
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.event_codec import ChannelReceived, EventCodec
from chat4all_core.ports.event_log import CHANNEL_RECEIVED, EventLog
from chat4all_core.telemetry.metrics import Metrics

_POLL_SECONDS = 25.0
_TURN_SECONDS = 1.0
"""How often a poller that is not to work looks whether it is to."""


class Poller:
    """Asks for one account. A channel serves one such at a time, so of all processes only one may be at work."""

    role = "poller"
    partitions = 0

    def __init__(
        self,
        channel: ChannelName,
        account: Polls,
        log: EventLog,
        codec: EventCodec,
        clock: Clock,
        metrics: Metrics,
        is_mine: Callable[[], bool],
    ) -> None:
        """`is_mine`: whether it is for this process to ask."""
        self._channel = channel
        self._account = account
        self._log = log
        self._codec = codec
        self._clock = clock
        self._asked = metrics.channel_polls.labels
        self._is_mine = is_mine
        self._stop = asyncio.Event()
        self._logger = structlog.get_logger(role=self.role, channel=channel)

    @property
    def is_healthy(self) -> bool:
        """A channel that can't be asked is no reason to start a process anew."""
        return True

    async def run(self) -> None:
        """Ask until `stop`. What came is durable before the channel hears that it is."""
        cursor = ""
        while not self._stop.is_set():
            if not self._is_mine():
                cursor = ""
                await self._pause(_TURN_SECONDS)
                continue
            try:
                cursor = await self._ask(cursor)
            except PollError as error:
                self._logger.warning("the channel can't be asked now", cause=str(error))
                self._asked(channel=self._channel, outcome="failed").inc()
                await self._pause(error.retry_after)
            except RetryableError as error:
                self._logger.warning("what has come can't be kept now", cause=str(error))
                await self._pause(error.retry_after)

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()

    async def _ask(self, cursor: str) -> str:
        """The next cursor: asking with it drops what this one gave."""
        asking = asyncio.ensure_future(self._account.poll(cursor, _POLL_SECONDS))
        stopping = asyncio.ensure_future(self._stop.wait())
        try:
            await asyncio.wait([asking, stopping], return_when=asyncio.FIRST_COMPLETED)
            if not asking.done():
                return cursor
            pieces, following = asking.result()
        finally:
            for task in (asking, stopping):
                task.cancel()
        self._asked(channel=self._channel, outcome="answered").inc()
        time = self._clock()
        for piece in pieces:
            value = self._codec.encode_received(ChannelReceived(self._channel, piece.account, piece.body, time))
            await self._log.append(CHANNEL_RECEIVED, f"{self._channel}:{piece.key}", value)
        return following

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stop.wait(), seconds)
