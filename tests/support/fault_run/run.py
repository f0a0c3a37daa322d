"""Faults under load, and the history of it."""

import asyncio
import contextlib
import random
import time
import uuid
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass

from history import History, Sent, Stored, violations

from chat4all_sdk import AsyncClient
from chat4all_sdk.models import Message, MessageState
from fault_run.faults import Fault
from fault_run.journal import Journal, Outage
from fault_run.load import SteadyLoad
from fault_run.subscriber import Subscriber, until_answered

_PASSWORD = "correct horse"
_DEADLINE = 300.0
"""Seconds after which what must come back has not, on however slow a machine."""


@dataclass(frozen=True, slots=True)
class Load:
    """How much is sent."""

    messages: int
    """At least."""
    rate: float
    """A second."""
    conversations: int = 24


class FaultRun:
    """One sender, whose other device follows; two people who follow and acknowledge."""

    def __init__(self, target: str, load: Load) -> None:
        self._target = target
        self._load = load
        self._conversations: list[str] = []
        self._subscribers: list[Subscriber] = []
        self._journal = Journal(_NAMES)
        self._sending: SteadyLoad | None = None

    async def run(self, faults: Iterable[Fault]) -> None:
        """Cause the faults one after the other while messages are sent; raises AssertionError when anything is lost,
        repeated, reordered or not seen."""
        async with contextlib.AsyncExitStack() as stack:
            clients = [await stack.enter_async_context(AsyncClient(self._target)) for _ in _NAMES]
            await self._meet(clients)
            async with self._following(clients):
                await self._send_through(faults)
            history = await self._history(clients[0])
        if wrong := violations(history):
            raise AssertionError("\n".join([f"{len(wrong)} promises are broken:", *wrong[:50]]))
        print(f"{len(history.sent)} messages: nothing lost, repeated or reordered, all seen, all DELIVERED", flush=True)

    async def _meet(self, clients: Sequence[AsyncClient]) -> None:
        run = uuid.uuid4().hex[:12]
        ids = []
        for name, client in zip(_NAMES, clients, strict=True):
            ids.append((await client.register(f"{name}_{run}", _PASSWORD)).user_id)
            await client.login(f"{name}_{run}", _PASSWORD)
        for n in range(self._load.conversations):
            self._conversations.append((await clients[0].create_group(f"group {n}", ids)).conversation_id)
        self._subscribers = [
            Subscriber(name, client, self._conversations, self._journal)
            for name, client in zip(_NAMES, clients, strict=True)
        ]
        session = clients[0].session
        assert session is not None
        sender = (("authorization", f"Bearer {session.access_token}"),)
        self._sending = SteadyLoad(self._target, sender, self._conversations, self._load.rate, run)

    @contextlib.asynccontextmanager
    async def _following(self, clients: Sequence[AsyncClient]) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            following = [tasks.create_task(subscriber.follow()) for subscriber in self._subscribers]
            await asyncio.gather(*(subscriber.caught_up.wait() for subscriber in self._subscribers))
            yield
            for task in following:
                task.cancel()

    async def _send_through(self, faults: Iterable[Fault]) -> None:
        load = self._sending
        assert load is not None
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(load.run(self._journal))
            await self._settled(time.monotonic() + 2)
            for number, fault in enumerate(faults, 1):
                await self._cause(number, fault)
                await asyncio.sleep(random.uniform(0.5, 2))
            while len(self._journal.sends) < self._load.messages:
                await asyncio.sleep(0.1)
            load.stop()
        await self._settled(time.monotonic())
        print(f"attempts that were refused: {dict(load.refusals) or 'none'}", flush=True)

    async def _cause(self, number: int, fault: Fault) -> None:
        print(f"{number:>4}  {fault.name:<34} ", end="", flush=True)
        since, first = time.monotonic(), self._journal.oldest_unsettled()
        await fault.begin()
        if fault.serves_meanwhile:
            await self._settled(time.monotonic() + 1)
            print(_told(self._journal.outage(first, since)), end="   back: ", flush=True)
            since, first = time.monotonic(), self._journal.oldest_unsettled()
        if fault.mend is not None:
            await fault.mend()
        await self._settled(time.monotonic() + 1)
        print(f"{_told(self._journal.outage(first, since))}   {self._progress(since, first)}", flush=True)

    def _progress(self, since: float, first: int) -> str:
        count = len(self._journal.sends)
        rate = (count - first) / (time.monotonic() - since)
        resets = sum(subscriber.resets for subscriber in self._subscribers)
        return f"{count:>7} messages, {rate:>5.0f}/s   {resets} RESETs"

    async def _settled(self, before: float) -> None:
        try:
            async with asyncio.timeout(_DEADLINE):
                await asyncio.sleep(max(0.0, before - time.monotonic()))
                await self._journal.settled(before)
        except TimeoutError:
            waiting = list(self._journal.unsettled())
            raise AssertionError(f"{len(waiting)} sends are not settled: {waiting[:5]} ...") from None

    async def _history(self, client: AsyncClient) -> History:
        history = History(seen={name: s.seen for name, s in zip(_NAMES, self._subscribers, strict=True)})
        for send in self._journal.sends:
            assert send.answered is not None
            history.sent.append(Sent(send.conversation_id, send.message_id, send.begun, send.answered))
        for conversation_id in self._conversations:
            for message in await _delivered(client, conversation_id):
                history.stored.append(Stored(conversation_id, message.sequence, message.message_id))
        return history


def _told(outage: Outage) -> str:
    return f"sends {outage.sends:>5.1f} s   subscribers {outage.subscribers:>5.1f} s"


_NAMES = ("ann", "ben", "cat")
"""The first one sends."""


async def _delivered(client: AsyncClient, conversation_id: str) -> Sequence[Message]:
    """All messages, once all are delivered."""

    async def listed() -> Sequence[Message]:
        return [message async for message in client.messages(conversation_id)]

    async with asyncio.timeout(_DEADLINE):
        while True:
            messages = await until_answered(listed)
            if all(message.state is MessageState.DELIVERED for message in messages):
                return messages
            await asyncio.sleep(0.5)
