"""Somebody who follows a stream as a subscription does."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.ids import UserId
from chat4all_core.ports.user_stream import PositionLostError, StreamEvent, UserStream


class Follower:
    """Notes what they are given. After a reset they go on from the present head."""

    def __init__(self, streams: UserStream, user: UserId) -> None:
        self._streams = streams
        self._user = user
        self.lives: list[list[StreamEvent]] = []
        """The events between resets."""

    async def run(self) -> None:
        """Follow, until cancelled."""
        while True:
            with contextlib.suppress(UnavailableError):
                await self._follow()
            await asyncio.sleep(0.01)

    async def _follow(self) -> None:
        async with self._streams.watch(self._user) as watch:
            if not self.lives:
                await self._reset()
            while True:
                await self._catch_up()
                # Wakes at times to look, as heartbeats make a subscription do.
                for event in await watch.next(0.2):
                    if not self._goes_on(event):
                        break

    def _goes_on(self, event: StreamEvent) -> bool:
        if event.position.epoch != self._position.epoch or event.position.offset > self._position.offset + 1:
            return False
        if event.position.offset == self._position.offset + 1:
            self._take(event)
        return True

    async def _catch_up(self) -> None:
        try:
            while events := await self._streams.read(self._user, self._position, 100):
                for event in events:
                    self._take(event)
        except PositionLostError:
            await self._reset()

    async def _reset(self) -> None:
        self._position = await self._streams.head(self._user)
        self.lives.append([])

    def _take(self, event: StreamEvent) -> None:
        self._position = event.position
        self.lives[-1].append(event)


@contextlib.asynccontextmanager
async def following(*followers: Follower) -> AsyncIterator[None]:
    """They follow within the context, from before it is entered."""
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(follower.run()) for follower in followers]
        while not all(follower.lives for follower in followers):
            await asyncio.sleep(0.01)
        yield
        for task in running:
            task.cancel()
