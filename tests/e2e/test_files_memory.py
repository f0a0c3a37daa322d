"""A server holds little of the files that go through it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import aiohttp
import psutil
import pytest
from platform_process import PlatformProcess
from rest_user import RestUser

UPLOADS = 8
LARGE = 96 << 20
ALLOWED = 100_000_000
"""What eight uploads may add to a server: 24 MiB of parts, and what the transports hold (78 MiB was measured of both);
the files together have 768 MiB."""


@pytest.fixture
def serving(pytestconfig: pytest.Config, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PlatformProcess]:
    """A platform that has served nothing yet, or, where a start takes long, little."""
    if pytestconfig.getoption("platform") != "standalone":
        yield request.getfixturevalue("platform")
        return
    platform = PlatformProcess(tmp_path)
    platform.start()
    yield platform
    platform.close()


def processes_of(platform: PlatformProcess) -> Sequence[psutil.Process]:
    """Those that take bytes: all of it in one, or its servers."""
    whole = psutil.Process(platform.pid)
    return [child for child in whole.children() if "chat4all_server" in child.cmdline()] or [whole]


async def test_memory_does_not_grow_with_files(serving: PlatformProcess) -> None:
    """Eight uploads at once, through REST, take less than 100 MB of any server, of their 805 MB."""
    processes = processes_of(serving)
    async with aiohttp.ClientSession(serving.url) as session:
        user, friend = await RestUser.join(session), await RestUser.join(session)
        room = await user.direct(friend)
        upload_ids = [await new_upload(user, room) for _ in range(UPLOADS)]
        before = [process.memory_info().rss for process in processes]
        most = list(before)
        uploads = asyncio.gather(*(write(user, upload_id) for upload_id in upload_ids))
        while not uploads.done():
            most = [max(rss, process.memory_info().rss) for rss, process in zip(most, processes, strict=True)]
            await asyncio.sleep(0.01)
        await uploads
    rises = [after - first for first, after in zip(before, most, strict=True)]
    print(f"\n{UPLOADS} uploads of {LARGE >> 20} MiB took {', '.join(str(rise >> 20) for rise in rises)} MiB")
    assert max(rises) < ALLOWED


async def new_upload(user: RestUser, room: str) -> str:
    """An upload's id."""
    status, body = await user.post("/v1/uploads", conversation_id=room, filename="f", size_bytes=str(LARGE))
    assert status == 200, body
    return str(body["upload"]["upload_id"])


async def write(user: RestUser, upload_id: str) -> None:
    """All of an upload."""

    async def body() -> AsyncIterator[bytes]:
        piece = os.urandom(1 << 20)
        for _ in range(LARGE >> 20):
            yield piece

    status, answer = await user.call("PUT", f"/v1/uploads/{upload_id}/content", params={"offset": "0"}, data=body())
    assert (status, answer["file"]["size_bytes"]) == (200, str(LARGE))
