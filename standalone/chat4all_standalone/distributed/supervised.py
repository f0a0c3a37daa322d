"""A process that is started again whenever it ends."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, Protocol, TypeVar

import structlog

_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 10.0
_STEADY_SECONDS = 30.0
"""Whoever has run for so long is not failing again and again."""


class Process(Protocol):
    """One run of a program."""

    async def start(self) -> None:
        """Return once it serves; raises when it does not."""
        ...

    async def wait(self) -> int:
        """The exit code, once it has ended."""
        ...

    async def stop(self) -> None:
        """End it. Nothing happens when it has ended."""
        ...


P = TypeVar("P", bound=Process)


class Supervised(Generic[P]):
    """Keeps one process running, with growing pauses while it fails, for as long as `run` does. Only a process that
    has served before is started again: whatever keeps the first one from starting is the operator's to know."""

    def __init__(self, name: str, make: Callable[[], P]) -> None:
        self.name = name
        self._make = make
        self._process: P | None = None
        self._serves = asyncio.Event()
        self._first_start: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._replacing = False
        self._log = structlog.get_logger(process=name)

    @property
    def process(self) -> P | None:
        """The one that serves, if one does."""
        return self._process if self._serves.is_set() else None

    async def run(self) -> None:
        """Run for ever, unless the first start fails. The process is stopped when this is cancelled."""
        failures = 0
        while True:
            started_at = asyncio.get_running_loop().time()
            await self._run_once()
            if not self._has_served:
                return
            if self._replacing:
                self._replacing = False
                continue
            steady = asyncio.get_running_loop().time() - started_at > _STEADY_SECONDS
            failures = 1 if steady else failures + 1
            await asyncio.sleep(min(_FIRST_PAUSE * 2.0 ** (failures - 1), _LONGEST_PAUSE))

    async def serves(self) -> None:
        """Return once it serves; raises what its first start raised."""
        await asyncio.shield(self._first_start)
        await self._serves.wait()

    async def replace(self, end: Callable[[P], Awaitable[None]]) -> None:
        """Have the process ended by `end`, and return once its successor serves."""
        process = self.process
        if process is not None:
            self._replacing = True
            self._serves.clear()
            await end(process)
        await self._serves.wait()

    @property
    def _has_served(self) -> bool:
        return self._first_start.done() and self._first_start.exception() is None

    async def _run_once(self) -> None:
        process = self._process = self._make()
        try:
            await process.start()
            self._log.info("serves")
            self._serves.set()
            if not self._first_start.done():
                self._first_start.set_result(None)
            code = await process.wait()
            if not self._replacing:
                self._log.error("has ended and is started again", code=code)
        except Exception as error:
            if self._has_served:
                self._log.error("can't start and is tried again", cause=str(error))
            else:
                self._first_start.set_exception(error)
        finally:
            self._serves.clear()
            await process.stop()
