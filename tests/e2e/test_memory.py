"""How much memory the whole platform takes when one person asks for much."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from platform_process import PlatformProcess
from rest_user import RestUser

LISTS = 120
MOST_KIB = 350 * 1024  # it starts with some 90 MiB; without a bound it takes twice as much here


@pytest.fixture
def own(tmp_path: Path) -> Iterator[PlatformProcess]:
    """A platform of this test alone."""
    process = PlatformProcess(tmp_path / "data")
    yield process
    process.close()


def peak_kib(pid: int) -> int:
    """The most memory that a process ever had."""
    lines = Path(f"/proc/{pid}/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))


async def test_many_large_pages_at_once(own: PlatformProcess) -> None:
    """Hundreds of pages of the largest messages, all asked for at the same moment, are all given, and made a few at a
    time."""
    own.start()
    metadata = {f"{number:02}".ljust(64, "k"): "v" * 512 for number in range(16)}
    async with aiohttp.ClientSession(own.url, connector=aiohttp.TCPConnector(limit=LISTS)) as session:
        ann, ben = await RestUser.join(session), await RestUser.join(session)
        conversation = await ann.direct(ben)
        for _ in range(100):
            last = await ann.send(conversation, "x" * 10_240, metadata=metadata)
        await ann.get(f"/v1/messages/{last}")
        path = f"/v1/conversations/{conversation}/messages?page_size=100"

        async def size_of_page() -> int:
            async with session.get(path, headers={"authorization": f"Bearer {ann.token}"}) as answer:
                return len(await answer.read())

        sizes = await asyncio.gather(*(size_of_page() for _ in range(LISTS)))
    assert min(sizes) > 1_900_000
    assert peak_kib(own.pid) < MOST_KIB
