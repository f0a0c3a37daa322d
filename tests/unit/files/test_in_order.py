"""Work side by side that counts in order."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from chat4all_core.app.in_order import InOrder


async def work(gate: asyncio.Event, outcome: str) -> str:
    """Ends when it is let; an outcome that is empty is a failure."""
    await gate.wait()
    if not outcome:
        raise ConnectionResetError
    return outcome


def recorder(recorded: list[str]) -> Callable[[str], Awaitable[None]]:
    """Keeps what comes."""

    async def record(outcome: str) -> None:
        recorded.append(outcome)

    return record


async def test_outcomes_are_recorded_in_the_order_of_the_works() -> None:
    """The second work is done first, and is not recorded before the first one is."""
    first, second, recorded = asyncio.Event(), asyncio.Event(), list[str]()
    works = InOrder(2)
    works.add(work(first, "a"), recorder(recorded))
    works.add(work(second, "b"), recorder(recorded))
    second.set()
    third = asyncio.create_task(works.room())
    for _ in range(10):
        await asyncio.sleep(0)
    assert not recorded
    assert not third.done()  # there is room for two
    first.set()
    await third
    await works.recorded()
    assert recorded == ["a", "b"]


async def test_nothing_is_recorded_after_a_failure() -> None:
    """A work that fails leaves a gap: what was added later is not recorded, and everybody is told."""
    gate, recorded, works = asyncio.Event(), list[str](), InOrder(3)
    for outcome in ("a", "", "c"):
        works.add(work(gate, outcome), recorder(recorded))
    gate.set()
    for call in (works.recorded, works.recorded):
        with pytest.raises(ConnectionResetError):
            await call()
    await works.close()
    assert recorded == ["a"]


async def test_who_waits_for_room_may_be_cancelled() -> None:
    """What is under way goes on, and is recorded."""
    gate, recorded, works = asyncio.Event(), list[str](), InOrder(1)
    works.add(work(gate, "a"), recorder(recorded))
    waiting = asyncio.create_task(works.room())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    gate.set()
    await works.recorded()
    assert recorded == ["a"]
