"""The sum of an upload's bytes, computed in threads."""

import asyncio
from collections.abc import Sequence

from chat4all_core.ports.content_hash import ContentHash


class RunningSum:
    """Bytes are added in the order of the calls, each of which waits for those before it."""

    def __init__(self, content_hash: ContentHash | None) -> None:
        """`content_hash`: None when the bytes have to be read again in the end."""
        self._hash = content_hash
        self._turn = asyncio.Lock()

    @property
    def hexdigest(self) -> str | None:
        """Of all bytes so far; None when it has to be computed anew."""
        return None if self._hash is None else self._hash.hexdigest()

    def state(self) -> bytes:
        """See ContentHash.state; empty when there is none."""
        return b"" if self._hash is None else self._hash.state()

    async def add(self, pieces: Sequence[bytes]) -> bytes:
        """Add bytes; the state after them."""
        async with self._turn:
            if self._hash is None:
                return b""
            return await asyncio.to_thread(_update, self._hash, pieces)


def _update(content_hash: ContentHash, pieces: Sequence[bytes]) -> bytes:
    for piece in pieces:
        content_hash.update(piece)
    return content_hash.state()
