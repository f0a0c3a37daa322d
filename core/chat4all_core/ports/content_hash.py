"""SHA-256 of bytes that pass by, over the restarts of whoever computes it."""

from typing import Protocol


class ContentHash(Protocol):
    """A sum under way. Not to be shared between threads at a time."""

    def update(self, data: bytes) -> None:
        """Add bytes. Lets other threads run meanwhile."""
        ...

    def hexdigest(self) -> str:
        """The sum of all bytes so far, in lower case; more may follow."""
        ...

    def state(self) -> bytes:
        """What `ContentHasher.resume` goes on from, at most 1 KiB; empty when this machine can't tell."""
        ...


class ContentHasher(Protocol):
    """Begins sums, and goes on with them."""

    def new(self) -> ContentHash:
        """The sum of no bytes."""
        ...

    def resume(self, state: bytes) -> ContentHash | None:
        """The sum that had this state, here or on another machine; None when it is empty, or this machine can't read
        it: then the bytes have to be read again."""
        ...
