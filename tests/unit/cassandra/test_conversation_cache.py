"""Conversations in memory: how old they get, and who waits for them."""

import asyncio
from collections.abc import Mapping, Sequence

from message_rows import user
from virtual_time import run_in_virtual_time

from chat4all_core.adapters.cassandra.conversation_cache import BELIEVED, ConversationCache
from chat4all_core.domain.conversation import Conversation, ConversationType
from chat4all_core.domain.errors import Reason, UnavailableError
from chat4all_core.domain.ids import ConversationId
from chat4all_core.domain.timestamp import Timestamp

_READ_SECONDS = 0.05


class Stored:
    """What is stored, behind reads that take a while."""

    def __init__(self, conversations: int) -> None:
        self.versions = {ConversationId(f"c{number}"): 1 for number in range(conversations)}
        self.reads = 0
        self.fails = False
        self.failed = False
        self.cache = ConversationCache(self._read_versions, self._read)

    async def _read_versions(self, conversation_ids: Sequence[ConversationId]) -> Mapping[ConversationId, int]:
        self.reads += 1
        found = {c: self.versions[c] for c in conversation_ids}
        await asyncio.sleep(_READ_SECONDS)
        if self.fails:
            self.failed = True
            raise UnavailableError(Reason.UNAVAILABLE, "not now", 1.0)
        return found

    async def _read(self, conversation_ids: Sequence[ConversationId]) -> Sequence[Conversation]:
        if not conversation_ids:
            return []
        found = [
            Conversation(c, ConversationType.GROUP, "", user("ann"), Timestamp(0), self.versions[c], ())
            for c in conversation_ids
        ]
        await asyncio.sleep(_READ_SECONDS)
        return found

    async def get(self, conversation_id: ConversationId) -> tuple[int, float]:
        """The version that the cache tells, and how long that took."""
        began = asyncio.get_running_loop().time()
        conversation = await self.cache.get(conversation_id, 0)
        assert conversation is not None
        return conversation.version, asyncio.get_running_loop().time() - began


async def asked_for(stored: Stored, seconds: float) -> list[float]:
    """Ask for all conversations again and again; how long each answer took."""
    waits: list[float] = []
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while loop.time() < end:
        waits += [waited for _, waited in await asyncio.gather(*map(stored.get, stored.versions))]
        await asyncio.sleep(0.03)
    return waits


def test_nobody_waits_for_what_is_in_use() -> None:
    """Of conversations that are asked for all the time only the first calls wait; the others share the reads that
    confirm them, and nothing is read when nobody asks any more."""

    async def run() -> None:
        stored = Stored(30)
        waits = await asked_for(stored, 10)
        assert sum(waited > 0 for waited in waits) == 30
        assert stored.reads < 60
        await asyncio.sleep(1)
        used = stored.reads
        await asyncio.sleep(100)
        assert stored.reads == used

    run_in_virtual_time(run())


def test_nobody_believes_the_version_before_for_long() -> None:
    """A change is seen by every call that comes `BELIEVED` after it was stored."""

    async def run() -> None:
        stored = Stored(1)
        (conversation_id,) = stored.versions
        for step in range(40):
            await asked_for(stored, step / 40)
            stored.versions[conversation_id] += 1
            await asked_for(stored, BELIEVED)
            assert (await stored.get(conversation_id))[0] == stored.versions[conversation_id]

    run_in_virtual_time(run())


def test_a_confirmation_that_fails_is_tried_again() -> None:
    """What could not be confirmed is read when it is believed no more, and confirmed anew from then on."""

    async def run() -> None:
        stored = Stored(1)
        (conversation_id,) = stored.versions
        await asked_for(stored, 1)
        stored.fails = True
        while not stored.failed:
            await stored.get(conversation_id)
            await asyncio.sleep(0.01)
        stored.fails = False
        stored.versions[conversation_id] += 1
        await asyncio.sleep(BELIEVED)
        assert (await stored.get(conversation_id))[0] == stored.versions[conversation_id]
        assert max(await asked_for(stored, 5)) == 0

    run_in_virtual_time(run())
