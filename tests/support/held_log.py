"""A log that becomes durable when the test says so."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Mapping

from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.domain.errors import Reason, UnavailableError
from chat4all_core.domain.source import Source
from chat4all_core.ports.event_log import Consumer


class HeldLog:
    """A log in which nothing is durable before it is released."""

    def __init__(self) -> None:
        self.appended: list[str] = []
        """The texts, in the order of the calls."""
        self._held: deque[asyncio.Future[Source]] = deque()
        self._changed = asyncio.Condition()
        self.most_held = 0

    def append(self, topic: str, key: str, value: bytes, headers: Mapping[str, str] | None = None) -> Awaitable[Source]:
        self.appended.append(ProtobufEventCodec().decode_accepted(value).text)
        durable = asyncio.get_running_loop().create_future()
        self._held.append(durable)
        self.most_held = max(self.most_held, len(self._held))
        asyncio.get_running_loop().create_task(self._notify())
        return durable

    async def until_appended(self, count: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: len(self.appended) >= count)

    def release_newest(self) -> None:
        self._held.pop().set_result(Source(1, 0, len(self.appended)))

    def release_oldest(self) -> None:
        self._held.popleft().set_result(Source(1, 0, len(self.appended)))

    def fail_oldest(self) -> None:
        self._held.popleft().set_exception(UnavailableError(Reason.UNAVAILABLE, "the log is away", 1.0))

    def consumer(self, topic: str, group: str) -> Consumer:
        raise NotImplementedError  # nobody reads it here

    async def ready(self) -> bool:
        return True

    async def _notify(self) -> None:
        async with self._changed:
            self._changed.notify_all()
