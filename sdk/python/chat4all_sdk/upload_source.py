"""Where the bytes of an upload come from: a file that can be read again at any place, or a stream."""

import asyncio
import hashlib
import os
import threading
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Protocol, TypeAlias, cast

import grpc

from chat4all_sdk.errors import DataLoss

__all__ = ["RunningHash", "SeekableSource", "Source", "StreamedSource", "UploadSource", "open_source"]

UploadSource: TypeAlias = str | os.PathLike[str] | BinaryIO | Iterable[bytes] | AsyncIterable[bytes]
"""A path, a binary file object (read from where it stands), or an iterable of bytes, asynchronous or not."""

HELD_BYTES = 32 << 20
"""What is kept of a stream until the platform has it durably: it can't be read a second time."""

_PIECE = 1 << 20


class Source(Protocol):
    """The bytes of one upload, from offset 0 on."""

    @property
    def size(self) -> int | None:
        """Of the whole; None when only the end will tell."""

    @property
    def ended(self) -> bool:
        """Whether the last byte was given out, where `size` does not tell."""

    async def read(self, offset: int, size: int) -> bytes:
        """At most `size` bytes from `offset` on; none at the end, or when no more can be held."""

    def release(self, offset: int) -> None:
        """Nothing before `offset` will be asked for again."""


class SeekableSource:
    """A file whose bytes can be read again. Its size is that of the moment in which it was opened."""

    ended = False  # the size tells

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._turn = threading.Lock()
        self._base = file.tell()
        self._size = max(0, file.seek(0, os.SEEK_END) - self._base)

    @property
    def size(self) -> int:
        """See Source.size."""
        return self._size

    async def read(self, offset: int, size: int) -> bytes:
        """See Source.read. Several may read at the same time."""
        return await asyncio.to_thread(self._read, offset, min(size, self._size - offset))

    async def sha256(self) -> str:
        """Of all its bytes, which are read for that."""
        return await asyncio.to_thread(self._sha256)

    def release(self, offset: int) -> None:
        """Nothing is held."""

    def _read(self, offset: int, size: int) -> bytes:
        if size <= 0:
            return b""
        with self._turn:
            self._file.seek(self._base + offset)
            return self._file.read(size)

    def _sha256(self) -> str:
        found, offset = hashlib.sha256(), 0
        while chunk := self._read(offset, min(_PIECE, self._size - offset)):
            found.update(chunk)
            offset += len(chunk)
        return found.hexdigest()


class StreamedSource:
    """Bytes that come once. What was not released is held, up to a bound, to be sent again."""

    size = None

    def __init__(self, pieces: AsyncIterator[bytes], *, held_bytes: int = HELD_BYTES) -> None:
        self.ended = False
        self._pieces = pieces
        self._limit = held_bytes
        self._held = bytearray()
        self._start = 0

    async def read(self, offset: int, size: int) -> bytes:
        """See Source.read. Raises DataLoss when the bytes at `offset` were released."""
        if offset < self._start:
            raise DataLoss(
                grpc.StatusCode.DATA_LOSS, f"the stream would have to be read again from byte {offset}, which it can't"
            )
        await self._gather(offset + size)
        return bytes(self._held[offset - self._start : offset - self._start + size])

    def release(self, offset: int) -> None:
        """See Source.release."""
        count = min(offset - self._start, len(self._held))
        if count > 0:
            del self._held[:count]
            self._start += count

    async def _gather(self, end: int) -> None:
        while not self.ended and self._start + len(self._held) < end and len(self._held) < self._limit:
            piece = await anext(self._pieces, None)
            if piece is None:
                self.ended = True
            else:
                self._held += piece


class RunningHash:
    """SHA-256 of a source from its beginning, whatever passes by more than once."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.position = 0
        """How many bytes it covers."""

    def take(self, offset: int, chunk: bytes) -> None:
        """Adds bytes from `offset` on, which is at most `position`."""
        known = self.position - offset
        if known < len(chunk):
            self._hash.update(memoryview(chunk)[known:] if known else chunk)
            self.position = offset + len(chunk)

    def hexdigest(self) -> str:
        """The sum so far."""
        return self._hash.hexdigest()


@asynccontextmanager
async def open_source(source: UploadSource) -> AsyncIterator[tuple[Source, str]]:
    """The source, and the name that it has of itself (else empty). Paths are opened and closed. Raises OSError."""
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        opened = await asyncio.to_thread(path.open, "rb")
        try:
            yield _from_file(opened), path.name
        finally:
            await asyncio.to_thread(opened.close)
    elif isinstance(source, AsyncIterable):
        yield StreamedSource(aiter(source)), ""
    elif isinstance(source, bytes | bytearray | memoryview):
        raise TypeError("bytes are no source; wrap them in io.BytesIO")
    elif hasattr(source, "read"):
        file = cast(BinaryIO, source)
        name = getattr(file, "name", "")
        yield _from_file(file), Path(name).name if isinstance(name, str) else ""
    else:
        yield StreamedSource(_in_threads(iter(source))), ""


def _from_file(file: BinaryIO) -> Source:
    if file.seekable():
        return SeekableSource(file)
    return StreamedSource(_in_threads(iter(lambda: file.read(_PIECE), b"")))


async def _in_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """An iterator that may block, as one that does not."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
