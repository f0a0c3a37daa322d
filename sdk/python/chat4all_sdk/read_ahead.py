"""Fetching the next piece while the one before it is worked on."""

import asyncio
from collections.abc import AsyncGenerator
from typing import TypeVar

__all__ = ["read_ahead"]

T = TypeVar("T")


async def read_ahead(pieces: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
    """The same pieces, one of which is fetched ahead. Closing it closes `pieces`, also in the midst of one."""
    coming = asyncio.create_task(_next(pieces))
    try:
        while (piece := await coming) is not None:
            coming = asyncio.create_task(_next(pieces))
            yield piece
    finally:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
        await pieces.aclose()


async def _next(pieces: AsyncGenerator[T, None]) -> T | None:
    return await anext(pieces, None)
