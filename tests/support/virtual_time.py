"""An event loop whose clock jumps to the next timer whenever there is nothing to do: hours pass in no time, and the
same program always runs the same way. Only for programs that wait for nothing but timers and each other."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Begins at 0."""

    def __init__(self) -> None:
        super().__init__()
        self._virtual_now = 0.0

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._virtual_now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]  # asyncio's own
            self._virtual_now = max(self._virtual_now, self._scheduled[0]._when)  # type: ignore[attr-defined]  # asyncio's own
        super()._run_once()  # type: ignore[misc]  # as above


def run_in_virtual_time(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end, with everything that it has started."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


def virtual(test: Callable[[], Coroutine[Any, Any, None]]) -> Callable[[], None]:
    """A test that runs in virtual time."""

    def run() -> None:
        run_in_virtual_time(test())

    run.__doc__, run.__name__ = test.__doc__, test.__name__
    return run
