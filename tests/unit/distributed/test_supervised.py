"""Processes that are kept running."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from chat4all_standalone.distributed.supervised import Supervised


class Run:
    """One run of a program that the test ends."""

    def __init__(self, starts: bool) -> None:
        self.ended = asyncio.Event()
        self.was_stopped = False
        self._starts = starts

    async def start(self) -> None:
        if not self._starts:
            raise OSError("no such program")

    async def wait(self) -> int:
        await self.ended.wait()
        return 1

    async def stop(self) -> None:
        self.was_stopped = True
        self.ended.set()


class Program:
    """Makes runs, of which those that are numbered don't start."""

    def __init__(self, *failing: int) -> None:
        self.runs: list[Run] = []
        self._failing = failing

    def __call__(self) -> Run:
        self.runs.append(Run(starts=len(self.runs) not in self._failing))
        return self.runs[-1]


@asynccontextmanager
async def supervising(make: Callable[[], Run]) -> AsyncIterator[Supervised[Run]]:
    supervised = Supervised("program", make)
    task = asyncio.create_task(supervised.run())
    yield supervised
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_what_ends_is_started_again() -> None:
    """A process that ends by itself has a successor, also when the next one can't start."""
    program = Program(1)
    async with supervising(program) as supervised:
        await supervised.serves()
        assert supervised.process is program.runs[0]
        program.runs[0].ended.set()
        while supervised.process is not program.runs[-1] or len(program.runs) < 3:
            await asyncio.sleep(0)


async def test_a_program_that_never_starts_is_given_up() -> None:
    """Whoever waits for the first start is told why it failed, and it is not tried again."""
    program = Program(0)
    async with supervising(program) as supervised:
        with pytest.raises(OSError, match="no such program"):
            await supervised.serves()
    assert len(program.runs) == 1


async def test_one_is_replaced_at_once() -> None:
    """A replacement ends the process as asked, and returns when the successor serves."""
    program = Program()
    async with supervising(program) as supervised:
        await supervised.serves()
        asked = []

        async def end(run: Run) -> None:
            assert supervised.process is None
            asked.append(run)
            run.ended.set()

        await supervised.replace(end)
        assert asked == [program.runs[0]]
        assert supervised.process is program.runs[1]


async def test_the_end_stops_the_process() -> None:
    """When supervision ends, the process does."""
    program = Program()
    async with supervising(program) as supervised:
        await supervised.serves()
    assert program.runs[0].was_stopped
