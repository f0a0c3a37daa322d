"""How many calls an account makes at a time."""

import asyncio

from chat4all_workers.delivery.calls_under_way import CallsUnderWay


async def test_a_silent_channel_is_told_little() -> None:
    """Without an answer no more than 32 calls are under way, and each that was given up makes room for one."""
    calls = CallsUnderWay()
    begun = [await calls.begin() for _ in range(32)]
    waiting = asyncio.create_task(calls.begin())
    assert not await _is_done(waiting)
    calls.end(begun.pop(), answered=False)
    assert await _is_done(waiting)


async def test_a_channel_that_answers_is_told_more_with_each_answer() -> None:
    """Each answer makes room for 32 more, up to 256 in all; what is given up of the calls before it makes no more."""
    calls = CallsUnderWay()
    begun = [await calls.begin() for _ in range(32)]
    for _ in range(8):
        calls.end(begun.pop(0), answered=True)
        begun += [await calls.begin() for _ in range(min(32, 256 - len(begun)))]
    assert len(begun) == 256
    waiting = asyncio.create_task(calls.begin())
    assert not await _is_done(waiting)
    calls.end(begun.pop(0), answered=False)
    assert await _is_done(waiting)


async def _is_done(task: "asyncio.Task[int]") -> bool:
    for _ in range(5):
        await asyncio.sleep(0)
    return task.done()
