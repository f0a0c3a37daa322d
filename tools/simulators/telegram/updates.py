"""Updates that a bot did not take yet."""

import asyncio
import secrets
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass

from tools.simulators.clock import Now
from tools.simulators.json_value import JsonObject

NOT_BY_DEFAULT = frozenset({"message_reaction", "message_reaction_count", "chat_member"})
"""Kinds of updates that a bot gets only when it asks for them by name."""


@dataclass(frozen=True, slots=True)
class Update:
    """Something that happened."""

    id: int
    kind: str
    chat: str
    content: JsonObject
    at: float

    def json(self) -> JsonObject:
        """As the bot gets it."""
        return {"update_id": self.id, self.kind: self.content}


class UpdateQueue:
    """Updates in order, kept until they are confirmed, at most a day and at most `size` of them."""

    def __init__(self, size: int, lifetime: float, now: Now) -> None:
        self.allowed: Collection[str] | None = None
        """Kinds that the bot asked for; None: all but those of NOT_BY_DEFAULT."""
        self.added = 0
        """How many updates there ever were."""
        self._lifetime = lifetime
        self._now = now
        self._updates: deque[Update] = deque(maxlen=size)
        # A restarted service goes on counting elsewhere, as the real one does after a quiet week.
        self._next_id = secrets.randbelow(10**8) + 10**8
        self._changed = asyncio.Event()

    def __len__(self) -> int:
        self._forget_old()
        return len(self._updates)

    def add(self, kind: str, chat: str, content: JsonObject) -> None:
        """Note what happened, if the bot wants to know."""
        wanted = kind not in NOT_BY_DEFAULT if not self.allowed else kind in self.allowed
        if not wanted:
            return
        self._updates.append(Update(self._next_id, kind, chat, content, self._now()))
        self._next_id += 1
        self.added += 1
        self._changed.set()

    def confirm_below(self, offset: int) -> None:
        """Forget the updates before an id; a negative offset keeps that many of the newest."""
        if offset < 0:
            while len(self._updates) > -offset:
                self._updates.popleft()
        while self._updates and self._updates[0].id < offset:
            self._updates.popleft()

    def remove(self, update: Update) -> None:
        """Forget one update."""
        if update in self._updates:
            self._updates.remove(update)

    def clear(self) -> None:
        """Forget all."""
        self._updates.clear()

    def read(self, limit: int, skip: Collection[int] = ()) -> list[Update]:
        """The oldest updates whose ids are not to be skipped."""
        self._forget_old()
        found: list[Update] = []
        for update in self._updates:
            if len(found) == limit:
                break
            if update.id not in skip:
                found.append(update)
        return found

    async def wait(self, added: int) -> None:
        """Return when more updates were added than so many."""
        while self.added <= added:
            self._changed.clear()
            await self._changed.wait()

    def _forget_old(self) -> None:
        while self._updates and self._updates[0].at + self._lifetime <= self._now():
            self._updates.popleft()
