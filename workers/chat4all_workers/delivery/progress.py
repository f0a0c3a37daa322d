"""How far a partition has come, where records are finished in any order."""

from collections import deque


class Progress:
    """Offsets begin in order. What may be committed is the lowest one that is not finished."""

    def __init__(self) -> None:
        self._begun: deque[int] = deque()
        self._finished: set[int] = set()
        self._next: int | None = None
        self._committed: int | None = None

    def begin(self, offset: int) -> None:
        """The next record, whose offset is higher than all before."""
        self._begun.append(offset)
        self._next = offset + 1

    def finish(self, offset: int) -> None:
        """A record that was begun is done with."""
        self._finished.add(offset)
        while self._begun and self._begun[0] in self._finished:
            self._finished.remove(self._begun.popleft())

    @property
    def ahead(self) -> int:
        """How far reading is ahead of what may be committed."""
        return 0 if not self._begun or self._next is None else self._next - self._begun[0]

    def to_commit(self) -> int | None:
        """The offset to go on from, unless it is `committed` already."""
        offset = self._begun[0] if self._begun else self._next
        return None if offset == self._committed else offset

    def committed(self, offset: int) -> None:
        """The log remembers it."""
        self._committed = offset
