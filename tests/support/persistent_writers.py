"""Writers that go on while a Cassandra is in trouble, and what must be there afterwards."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.message import StoredMessage
from chat4all_core.ports.message_store import MessagePosition, MessageStore

DEADLINE = 90.0
"""Seconds after which what must happen has not."""


@dataclass(frozen=True, slots=True)
class PersistentWriters:
    """Four tasks that write batches of one conversation, each repeated until it is written."""

    messages: MessageStore
    batches: Sequence[Sequence[StoredMessage]]
    written: list[int] = field(default_factory=list)
    """The numbers of the batches that were."""
    refused: list[int] = field(default_factory=list)
    """How often each was unavailable before."""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Begin; in the end, wait until all are written."""
        numbers = iter(range(len(self.batches)))

        async def write() -> None:
            for number in numbers:
                batch = self.batches[number]
                self.refused.append(await until_done(lambda batch=batch: self.messages.write(batch)))
                self.written.append(number)

        tasks = [asyncio.create_task(write()) for _ in range(4)]
        yield
        async with asyncio.timeout(DEADLINE):
            await asyncio.gather(*tasks)

    async def reached(self, count: int) -> None:
        """Wait until so many batches are written."""
        async with asyncio.timeout(DEADLINE):
            while len(self.written) < count:
                await asyncio.sleep(0.001)

    async def check(self) -> None:
        """Every row and position is there, once."""
        rows = sorted((row for batch in self.batches for row in batch), key=lambda row: row.sequence)
        conversation = rows[0].message.conversation_id
        assert await self.messages.list_after(conversation, 0, 2**40, len(rows) + 1) == rows
        positions = await self.messages.positions([row.message.message_id for row in rows])
        assert positions == {r.message.message_id: MessagePosition(conversation, r.sequence, r.source) for r in rows}
        assert await self.messages.last_sequence(conversation) == len(rows)


async def until_done(call: Callable[[], Awaitable[object]]) -> int:
    """Repeat a call until it succeeds; how often it was unavailable. Any other error is raised."""
    refused = 0
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                await call()
            except UnavailableError as error:
                refused += 1
                await asyncio.sleep(error.retry_after)
            else:
                return refused
