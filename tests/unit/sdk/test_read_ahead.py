"""Fetching the next piece while one is worked on."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from chat4all_sdk.read_ahead import read_ahead


class Pieces:
    """Numbers from 1 on, then a failure."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.fetched = 0
        self.closed = False

    async def all(self) -> AsyncGenerator[int, None]:
        """Each when it is asked for."""
        try:
            for number in range(1, self._count + 1):
                self.fetched = number
                yield number
            raise ConnectionResetError
        finally:
            self.closed = True


async def test_one_piece_is_fetched_ahead() -> None:
    """While the first piece is worked on the second one comes, and no third."""
    pieces = Pieces(5)
    async with aclosing(read_ahead(pieces.all())) as ahead:
        assert await anext(ahead) == 1
        for _ in range(10):
            await asyncio.sleep(0)
        assert pieces.fetched == 2
    assert pieces.closed


async def test_a_failure_comes_after_the_pieces_before_it() -> None:
    """Every piece before a failure is given out, though the failure is known by then."""
    ahead = read_ahead(Pieces(3).all())
    assert [await anext(ahead) for _ in range(3)] == [1, 2, 3]
    with pytest.raises(ConnectionResetError):
        await anext(ahead)


async def test_closing_ends_a_piece_that_is_awaited() -> None:
    """Whoever stops early waits for no piece that may never come."""
    begun = asyncio.Event()

    async def stuck() -> AsyncGenerator[int, None]:
        yield 1
        begun.set()
        await asyncio.Event().wait()
        yield 2

    async with aclosing(read_ahead(stuck())) as ahead:
        assert await anext(ahead) == 1
        await begun.wait()
