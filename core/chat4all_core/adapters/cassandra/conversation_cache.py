"""Conversations kept in memory, none believed for longer than `BELIEVED` after the read that brought it began.

Conversations change rarely and are needed for every message. So what is kept is confirmed by its version alone, and
all that are asked for in one turn of the event loop are confirmed, or read, together. What is in use is confirmed anew
before its time is over: nobody waits for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from cachetools import LRUCache

from chat4all_core.domain.conversation import Conversation
from chat4all_core.domain.ids import ConversationId

BELIEVED = 0.5
"""Seconds. So long after a change was stored, nobody acts on what was before it."""
_RENEWED = 0.2
"""Seconds after which what is asked for is confirmed anew, while it is still believed."""
_GATHERED = 0.1
"""Seconds that such confirmations wait for others, to be one read: the rest is for the read."""
_KEPT = 10_000

ReadVersions = Callable[[Sequence[ConversationId]], Awaitable[Mapping[ConversationId, int]]]
ReadConversations = Callable[[Sequence[ConversationId]], Awaitable[Sequence[Conversation]]]


@dataclass(frozen=True, slots=True)
class _Kept:
    conversation: Conversation
    confirmed_at: float


class ConversationCache:
    """Reads through to what is stored."""

    def __init__(self, read_versions: ReadVersions, read: ReadConversations) -> None:
        self._read_versions = read_versions
        self._read = read
        self._loop = asyncio.get_running_loop()
        self._kept: LRUCache[ConversationId, _Kept] = LRUCache(_KEPT)
        self._wanted: dict[ConversationId, asyncio.Future[Conversation | None]] = {}
        self._readers: set[asyncio.Task[None]] = set()
        self._due: list[ConversationId] = []
        """Those that wait to be confirmed anew."""
        self._renewing: set[ConversationId] = set()
        """And those that are being so, too."""

    async def get(self, conversation_id: ConversationId, at_least_version: int) -> Conversation | None:
        """A conversation that is believed or read now, and of at least this version; None if there is none."""
        kept = self._believed(conversation_id)
        if kept is not None and kept.version >= at_least_version:
            return kept
        found = await self.read_anew(conversation_id)
        return found if found is not None and found.version >= at_least_version else None

    async def get_many(self, conversation_ids: Sequence[ConversationId]) -> Sequence[Conversation]:
        """Those that exist, in the order asked for, each believed or read now."""
        # Asked once: what is believed may not be so a moment later.
        believed = {c: self._believed(c) for c in conversation_ids}
        futures = {c: self._want(c) for c, kept in believed.items() if kept is None}
        found = believed | {c: await asyncio.shield(future) for c, future in futures.items()}
        return [conversation for c in conversation_ids if (conversation := found[c]) is not None]

    async def read_anew(self, conversation_id: ConversationId) -> Conversation | None:
        """A conversation as it is stored now, or None."""
        return await asyncio.shield(self._want(conversation_id))

    def remember(self, conversation: Conversation, since: float) -> Conversation:
        """Keep what was written or read by a request that began at `since`, by the event loop's clock; the newest that
        is known is returned."""
        kept: _Kept | None = self._kept.get(conversation.conversation_id)
        if kept is not None and kept.conversation.version > conversation.version:
            return kept.conversation
        self._kept[conversation.conversation_id] = _Kept(conversation, since)
        return conversation

    def _believed(self, conversation_id: ConversationId) -> Conversation | None:
        kept: _Kept | None = self._kept.get(conversation_id)
        age = 0.0 if kept is None else self._loop.time() - kept.confirmed_at
        if kept is None or age >= BELIEVED:
            return None
        if age >= _RENEWED and conversation_id not in self._renewing:
            self._renew(conversation_id)
        return kept.conversation

    def _renew(self, conversation_id: ConversationId) -> None:
        if not self._due:
            self._loop.call_later(_GATHERED, self._want_due)
        self._due.append(conversation_id)
        self._renewing.add(conversation_id)

    def _want_due(self) -> None:
        due, self._due = self._due, []
        for conversation_id in due:
            self._want(conversation_id)

    def _want(self, conversation_id: ConversationId) -> asyncio.Future[Conversation | None]:
        """A future for a read that has not begun yet: whatever is stored by now, it sees."""
        future = self._wanted.get(conversation_id)
        if future is None:
            if not self._wanted:
                self._loop.call_soon(self._begin)
            future = self._wanted[conversation_id] = self._loop.create_future()
        return future

    def _begin(self) -> None:
        wanted, self._wanted = self._wanted, {}
        reader = self._loop.create_task(self._read_wanted(wanted))
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)

    async def _read_wanted(self, wanted: Mapping[ConversationId, asyncio.Future[Conversation | None]]) -> None:
        began = self._loop.time()
        try:
            found = await self._confirm([c for c in wanted if c in self._kept], began)
            missing = [c for c in wanted if c not in found]
            found |= {c.conversation_id: self.remember(c, began) for c in await self._read(missing)}
        except Exception as error:
            for future in wanted.values():
                future.set_exception(error)
                future.exception()  # whoever waited may have gone
            return
        finally:
            self._renewing.difference_update(wanted)
        for conversation_id, future in wanted.items():
            future.set_result(found.get(conversation_id))

    async def _confirm(
        self, conversation_ids: Sequence[ConversationId], now: float
    ) -> dict[ConversationId, Conversation]:
        """Those that are kept in the version that is stored."""
        if not conversation_ids:
            return {}
        versions = await self._read_versions(conversation_ids)
        kept = {c: self._kept[c].conversation for c in conversation_ids if c in self._kept}
        confirmed = {c: conversation for c, conversation in kept.items() if conversation.version == versions.get(c)}
        for conversation in confirmed.values():
            self.remember(conversation, now)
        return confirmed
