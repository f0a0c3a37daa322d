"""Work side by side that counts in order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from chat4all_core.app.in_order import InOrder


async def work(gate: asyncio.Event, outcome: str) -> str:
    """Ends when it is let; an outcome that is empty is a failure."""
    await gate.wait()
    if not outcome:
        raise ConnectionResetError
    return outcome


def recorder(recorded: list[str]) -> Callable[[Sequence[str]], Awaitable[None]]:
    """Keeps what comes, one entry for what comes together."""

    async def record(outcomes: Sequence[str]) -> None:
        recorded.append("".join(outcomes))

    return record


async def turns() -> None:
    """Let everything go on that can."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_outcomes_are_recorded_in_the_order_of_the_works() -> None:
    """The second work is done first, and is not recorded before the first one is."""
    first, second, recorded = asyncio.Event(), asyncio.Event(), list[str]()
    works = InOrder(2, 1, recorder(recorded))
    works.add(work(first, "a"))
    works.add(work(second, "b"))
    second.set()
    third = asyncio.create_task(works.room())
    await turns()
    assert not recorded
    assert not third.done()  # there is room for two
    first.set()
    await third
    await works.recorded()
    assert "".join(recorded) == "ab"


async def test_outcomes_are_recorded_together_while_others_are_under_way() -> None:
    """An outcome waits for the next one, while there is one to come; the last is recorded by itself."""
    gates, recorded = [asyncio.Event() for _ in range(3)], list[str]()
    works = InOrder(3, 2, recorder(recorded))
    for gate, outcome in zip(gates, "abc", strict=True):
        works.add(work(gate, outcome))
    gates[0].set()
    await turns()
    assert not recorded
    gates[1].set()
    await works.room()
    assert recorded == ["ab"]
    gates[2].set()
    await works.recorded()
    assert recorded == ["ab", "c"]


@pytest.mark.parametrize("together", [1, 2])
async def test_nothing_is_recorded_after_a_failure(together: int) -> None:
    """A work that fails leaves a gap: what was added later is not recorded, and everybody is told."""
    gate, recorded = asyncio.Event(), list[str]()
    works = InOrder(3, together, recorder(recorded))
    for outcome in ("a", "", "c"):
        works.add(work(gate, outcome))
    gate.set()
    for call in (works.recorded, works.recorded):
        with pytest.raises(ConnectionResetError):
            await call()
    await works.close()
    assert recorded == ["a"]


async def test_who_waits_for_room_may_be_cancelled() -> None:
    """What is under way goes on, and is recorded."""
    gate, recorded = asyncio.Event(), list[str]()
    works = InOrder(1, 1, recorder(recorded))
    works.add(work(gate, "a"))
    waiting = asyncio.create_task(works.room())
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait([waiting])
    gate.set()
    await works.recorded()
    assert recorded == ["a"]
