"""One unanswered append per source, so that one that fails holds back those behind it.

A stream skips what is not newer than the last it took from a source. If a later append of the same source could
succeed where an earlier one failed, the earlier one's events would be skipped when they are tried again: lost without
a sign. Other processes are no danger: whoever is given a partition begins at what is committed, so with everything
that was not answered, and what an old owner sends late is either the same or skipped.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from chat4all_core.adapters.redis.errors import unavailable


class AppendOrder:
    """The appends under way, by their sources."""

    def __init__(self) -> None:
        self._last: dict[str, asyncio.Future[bool]] = {}

    @asynccontextmanager
    async def turn(self, sources: Collection[str]) -> AsyncIterator[None]:
        """Wait for those that came before.

        Raises:
            UnavailableError: one of them failed.
        """
        before = {self._last[source] for source in sources if source in self._last}
        mine = asyncio.get_running_loop().create_future()
        self._last.update(dict.fromkeys(sources, mine))
        succeeded = False
        try:
            # Told apart from a caller who is cancelled: the futures are others' and are left alone.
            if before and not all(await asyncio.gather(*(asyncio.shield(future) for future in before))):
                raise unavailable("an append before this one failed")
            yield
            succeeded = True
        finally:
            mine.set_result(succeeded)
            for source in sources:
                if self._last[source] is mine:
                    del self._last[source]
