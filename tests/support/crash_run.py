"""Messages are sent while processes are killed at random moments."""

import asyncio
import contextlib
import random
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

from history import History, Sent, Stored, violations

from chat4all_sdk import AsyncClient, CaughtUp, ChatError, MessageCreated

SENDERS = 8
CONVERSATIONS = 50
PASSWORD = "correct horse"

T = TypeVar("T")


Kill = Callable[[], Awaitable[None]]


class CrashRun:
    """Eight senders, one observer, fifty conversations."""

    def __init__(self, target: str, messages: int, kill: Kill) -> None:
        """`kill`: kills something, and sees to it that it comes back."""
        self._target = target
        self._messages = messages
        self._kill = kill
        self._conversations: list[str] = []
        self._numbers = iter(range(messages))
        self._random = random.Random(7)
        self._observing = asyncio.Event()
        self.history = History()
        self.killed = 0

    async def run(self, kills: int) -> None:
        """Send everything while this often something is killed; raises AssertionError when something is lost,
        repeated or reordered."""
        await self.set_up()
        await self.send_while_killing(kills)
        await self.collect()
        assert violations(self.history) == []
        assert len(self.history.sent) == self._messages
        print(f"\n{self._messages} messages, {self.killed} kills: nothing lost, repeated or reordered")

    async def set_up(self) -> None:
        """Make the people and their conversations."""
        ids = []
        for name in ["observer", *(f"sender_{n}" for n in range(SENDERS))]:
            async with AsyncClient(self._target) as client:
                ids.append((await client.register(name, PASSWORD)).user_id)
        async with self._client("observer") as client:
            await client.login("observer", PASSWORD)
            for n in range(CONVERSATIONS):
                self._conversations.append((await client.create_group(f"group {n}", ids)).conversation_id)

    async def send_while_killing(self, kills: int) -> None:
        """Send everything, from eight senders at once, and kill as often as asked at random progress."""
        moments = sorted(self._random.sample(range(1, self._messages), kills))
        observer = asyncio.create_task(self._observe())
        await self._observing.wait()
        async with asyncio.TaskGroup() as group:
            for n in range(SENDERS):
                group.create_task(self._send(f"sender_{n}"))
            group.create_task(self._kill_at(moments))
        async with asyncio.timeout(120):
            await observer

    async def collect(self) -> None:
        """List every conversation."""
        async with self._client("observer") as client:
            await client.login("observer", PASSWORD)
            for conversation_id in self._conversations:
                async for message in client.messages(conversation_id):
                    self.history.stored.append(Stored(conversation_id, message.sequence, message.message_id))

    def _client(self, name: str) -> AsyncClient:
        return AsyncClient(self._target)

    async def _send(self, sender: str) -> None:
        async with self._client(sender) as client:
            await _until_accepted(partial(client.login, sender, PASSWORD))
            for number in self._numbers:
                conversation_id = self._random.choice(self._conversations)
                request_id = f"00000000-0000-4000-8000-{number:012x}"
                text = f"{sender} {number}"
                begun = time.monotonic()
                sent = await _until_accepted(partial(client.send, conversation_id, text, request_id=request_id))
                self.history.sent.append(Sent(conversation_id, sent.message_id, begun, time.monotonic()))

    async def _observe(self) -> None:
        async with self._client("observer") as client:
            await client.login("observer", PASSWORD)
            seen = self.history.seen["observer"] = []
            async with contextlib.aclosing(client.subscribe()) as events:
                async for event in events:
                    if isinstance(event, CaughtUp):
                        self._observing.set()
                    if isinstance(event, MessageCreated):
                        m = event.message
                        seen.append(Stored(m.conversation_id, m.sequence, m.message_id, event.event_id))
                        if len(seen) >= self._messages:
                            return

    async def _kill_at(self, moments: list[int]) -> None:
        for moment in moments:
            while len(self.history.sent) < moment:
                await asyncio.sleep(0.001)
            self.killed += 1
            await self._kill()


async def _until_accepted(call: Callable[[], Awaitable[T]]) -> T:
    """Repeat a call, whatever happens to the server meanwhile: what a careful client would do."""
    while True:
        try:
            return await call()
        except ChatError:
            await asyncio.sleep(0.05)
