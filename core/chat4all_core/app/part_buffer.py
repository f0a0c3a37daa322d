"""The bytes of one part, until they are stored."""

from collections.abc import Sequence

_PIECE = 64 << 10


class PartBuffer:
    """Keeps what comes without copying it, but for small pieces, of which a part could have millions: those are
    gathered into larger ones."""

    def __init__(self, tail: bytes = b"") -> None:
        """`tail`: bytes of the part that are stored already."""
        self._pieces = [tail] if tail else []
        self._kept = len(self._pieces)
        self._small = bytearray()
        self.size = len(tail)
        """With the tail."""

    @property
    def has_news(self) -> bool:
        """Whether there is more than what was kept."""
        return bool(self._small) or len(self._pieces) > self._kept

    def append(self, data: bytes | memoryview) -> None:
        """Add bytes."""
        self.size += len(data)
        if len(data) >= _PIECE:
            self._gather()
            self._pieces.append(bytes(data))  # no copy, when it is bytes
            return
        self._small += data
        if len(self._small) >= _PIECE:
            self._gather()

    def all(self) -> Sequence[bytes]:
        """Every byte, in order."""
        self._gather()
        return self._pieces

    def news(self) -> Sequence[bytes]:
        """Every byte after those that were kept."""
        self._gather()
        return self._pieces[self._kept :]

    def keep(self) -> None:
        """All bytes so far are stored."""
        self._gather()
        self._kept = len(self._pieces)

    def _gather(self) -> None:
        if self._small:
            self._pieces.append(bytes(self._small))
            self._small.clear()
