"""How many pages may be made and on their way at the same time: a page takes up to 8 MiB."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from chat4all_core.domain.ids import UserId
from chat4all_server.interceptors.interceptor import Context

_MADE_AT_ONCE = 16  # more at once are no faster
_ON_THEIR_WAY = 8  # to one caller, who may read slowly and must not keep others waiting by it


class PageRoom:
    """Whoever asks for more at once waits."""

    def __init__(self) -> None:
        self._making = asyncio.Semaphore(_MADE_AT_ONCE)
        self._callers: WeakValueDictionary[UserId, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def making(self, caller: UserId, context: Context) -> AsyncIterator[None]:
        """Make a page within the context; once for each call. It counts as the caller's until the call has ended, which
        is when the page was sent."""
        own = self._callers.setdefault(caller, asyncio.Semaphore(_ON_THEIR_WAY))
        await own.acquire()
        context.add_done_callback(lambda _: own.release())  # type: ignore[arg-type]  # the stubs take it for a class
        async with self._making:
            yield
