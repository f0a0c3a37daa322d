"""Who writes which upload in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chat4all_core.domain.ids import UploadId


class _Writer:
    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.ended = asyncio.Event()


class ActiveWriters:
    """A new writer of an upload stops the one before it, and waits until that one has stored what it has: so nothing
    that arrived is lost. Between processes epochs do the same, but for what the first had in memory."""

    def __init__(self) -> None:
        self._writers: dict[UploadId, _Writer] = {}

    @asynccontextmanager
    async def writing(self, upload_id: UploadId) -> AsyncIterator[asyncio.Event]:
        """Be the writer within the context. The event says that another one wants to be."""
        await self.stop(upload_id)
        self._writers[upload_id] = me = _Writer()
        try:
            yield me.stop
        finally:
            del self._writers[upload_id]
            me.ended.set()

    async def stop(self, upload_id: UploadId) -> None:
        """Return once nobody writes."""
        while (other := self._writers.get(upload_id)) is not None:
            other.stop.set()
            await other.ended.wait()
