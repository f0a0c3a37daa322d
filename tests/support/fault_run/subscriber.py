"""A person whose client follows what happens, and what they saw."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from history import Moved, Reloaded, Seen, Stored

from chat4all_sdk import AsyncClient, CaughtUp, ChatError, MessageCreated, Reset, StatusChanged
from chat4all_sdk.models import Message
from fault_run.journal import Journal

T = TypeVar("T")


class Subscriber:
    """Follows and acknowledges as an application with the SDK would: at a RESET it lists what it lacks."""

    def __init__(self, name: str, client: AsyncClient, conversations: Sequence[str], journal: Journal) -> None:
        """`client`: logged in."""
        self._name = name
        self._client = client
        self._last = dict.fromkeys(conversations, 0)
        self._journal = journal
        self.caught_up = asyncio.Event()
        self.seen: list[Seen] = []
        self.resets = 0

    async def follow(self) -> None:
        """Until cancelled."""
        async with contextlib.aclosing(self._client.subscribe()) as events:
            async for event in events:
                match event:
                    case CaughtUp():
                        self.caught_up.set()
                    case MessageCreated():
                        self._take(event.message, event.event_id)
                    case StatusChanged():
                        self.seen.append(
                            Moved(
                                event.conversation_id,
                                event.participant,
                                event.state.name,
                                event.sequence,
                                event.event_id,
                            )
                        )
                    case Reset():
                        await self._reload()

    def _take(self, message: Message, event_id: str) -> None:
        self._note(message)
        self.seen.append(Stored(message.conversation_id, message.sequence, message.message_id, event_id))

    async def _reload(self) -> None:
        self.resets += 1
        await asyncio.gather(*(self._list(conversation_id) for conversation_id in self._last))
        self.seen.append(Reloaded(dict(self._last)))

    async def _list(self, conversation_id: str) -> None:
        """What has come since the last message that is known."""

        async def newer() -> Sequence[Message]:
            return [m async for m in self._client.messages(conversation_id, after_sequence=self._last[conversation_id])]

        for message in await until_answered(newer):
            self._note(message)

    def _note(self, message: Message) -> None:
        conversation_id = message.conversation_id
        self._last[conversation_id] = max(self._last[conversation_id], message.sequence)
        self._journal.known(self._name, int(message.text))


async def until_answered(call: Callable[[], Awaitable[T]]) -> T:
    """Repeat a call that may be repeated for as long as the platform can't serve."""
    while True:
        try:
            return await call()
        except ChatError as error:
            if error.reason not in ("", "UNAVAILABLE"):
                raise
            await asyncio.sleep(0.1)
