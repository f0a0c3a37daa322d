"""AppendOrder: an append that fails takes those along that wait behind it."""

import asyncio

import pytest

from chat4all_core.adapters.redis.append_order import AppendOrder
from chat4all_core.domain.errors import UnavailableError


class Appends:
    """Appends that take as long as a test wants them to."""

    def __init__(self) -> None:
        self.order = AppendOrder()
        self.sent: list[str] = []
        self._answers: dict[str, asyncio.Future[None]] = {}

    def start(self, name: str, *sources: str) -> "asyncio.Task[None]":
        return asyncio.create_task(self._append(name, sources))

    async def settle(self) -> None:
        """Let everyone go as far as they can."""
        for _ in range(10):
            await asyncio.sleep(0)

    def answer(self, name: str) -> None:
        self._answers[name].set_result(None)

    def refuse(self, name: str) -> None:
        self._answers[name].set_exception(ConnectionError())

    async def _append(self, name: str, sources: tuple[str, ...]) -> None:
        async with self.order.turn(sources):
            self.sent.append(name)
            self._answers[name] = asyncio.get_running_loop().create_future()
            await self._answers[name]


async def test_appends_of_a_source_go_one_by_one() -> None:
    """The next is sent when the last was answered; other sources do not wait."""
    appends = Appends()
    tasks = [appends.start("1", "a"), appends.start("2", "a", "b"), appends.start("3", "b"), appends.start("4", "c")]
    await appends.settle()
    assert appends.sent == ["1", "4"]
    appends.answer("1")
    await appends.settle()
    assert appends.sent == ["1", "4", "2"]
    appends.answer("2")
    await appends.settle()
    assert appends.sent == ["1", "4", "2", "3"]
    appends.answer("3")
    appends.answer("4")
    await asyncio.gather(*tasks)


@pytest.mark.parametrize("how", ["refused", "cancelled"])
async def test_what_waits_behind_a_failure_fails(how: str) -> None:
    """Nothing is sent that waited for an append that failed, so nothing overtakes it; afterwards all can go on."""
    appends = Appends()
    first, second, third = appends.start("1", "a"), appends.start("2", "a", "b"), appends.start("3", "b")
    other = appends.start("4", "c")
    await appends.settle()
    if how == "refused":
        appends.refuse("1")
    else:
        first.cancel()
    results = await asyncio.gather(first, second, third, return_exceptions=True)
    assert isinstance(results[0], ConnectionError | asyncio.CancelledError)
    assert [type(result) for result in results[1:]] == [UnavailableError, UnavailableError]
    assert appends.sent == ["1", "4"]
    again = appends.start("1 again", "a")
    await appends.settle()
    assert appends.sent == ["1", "4", "1 again"]
    appends.answer("1 again")
    appends.answer("4")
    await asyncio.gather(again, other)
