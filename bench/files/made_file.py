"""Files of any size that lie nowhere: their bytes are made as they are read."""

import hashlib
import io
import os
from typing import BinaryIO, cast

_BLOCK = 1 << 20


class MadeFile(io.RawIOBase):
    """Random blocks of 1 MiB, the same but for the numbers that they begin with: a block that is missing, repeated or
    at another place shows in the sum."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._position = 0
        self._random = os.urandom(_BLOCK - 8)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = base + offset
        return self._position

    def read(self, size: int = -1) -> bytes:
        """So many bytes, fewer only at the end."""
        end = self._size if size < 0 else min(self._size, self._position + size)
        pieces = []
        while self._position < end:
            number, start = divmod(self._position, _BLOCK)
            block = number.to_bytes(8, "big") + self._random if start < 8 else None
            stop = min(_BLOCK, start + end - self._position)
            pieces.append(block[start:stop] if block else self._random[start - 8 : stop - 8])
            self._position += stop - start
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def sha256(self) -> str:
        """Of all of it."""
        found = hashlib.sha256()
        self.seek(0)
        while block := self.read(_BLOCK):
            found.update(block)
        self.seek(0)
        return found.hexdigest()

    def opened(self) -> BinaryIO:
        """As what takes files wants it."""
        return cast(BinaryIO, self)


class Sum(io.RawIOBase):
    """Keeps nothing of what is written but its SHA-256."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]  # of all that is a buffer, only bytes come
        """Add bytes."""
        self._hash.update(data)
        return len(data)

    def hexdigest(self) -> str:
        """Of all that was written."""
        return self._hash.hexdigest()

    def opened(self) -> BinaryIO:
        """As what writes files wants it."""
        return cast(BinaryIO, self)
