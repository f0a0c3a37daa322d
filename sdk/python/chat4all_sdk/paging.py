"""Lists that are loaded page by page."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TypeVar

from chat4all_sdk.models import Page

__all__ = ["items_of_pages", "sync_items_of_pages"]

T = TypeVar("T")


async def items_of_pages(load: Callable[[str], Awaitable[Page[T]]]) -> AsyncIterator[T]:
    """The items of all pages, each loaded by its token when it is needed; the first one's is empty."""
    token = ""
    while True:
        page = await load(token)
        for item in page.items:
            yield item
        token = page.next_page_token
        if not token:
            return


def sync_items_of_pages(load: Callable[[str], Page[T]]) -> Iterator[T]:
    """The same, where loading blocks."""
    token = ""
    while True:
        page = load(token)
        yield from page.items
        token = page.next_page_token
        if not token:
            return
