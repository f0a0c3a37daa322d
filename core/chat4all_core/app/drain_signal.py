"""The word that a process is about to stop."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class DrainSignal:
    """Set once, heard by everyone who waits on something else."""

    def __init__(self) -> None:
        self._set = False
        self._listeners: set[Callable[[], None]] = set()

    @property
    def is_set(self) -> bool:
        """Whether the process is about to stop."""
        return self._set

    def set(self) -> None:
        """Say so."""
        self._set = True
        for listener in tuple(self._listeners):
            listener()

    @contextmanager
    def heard_by(self, listener: Callable[[], None]) -> Iterator[None]:
        """Have a function called when the signal is set within the context."""
        self._listeners.add(listener)
        try:
            yield
        finally:
            self._listeners.discard(listener)
