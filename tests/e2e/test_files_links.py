"""Links to files as strangers use them, downloads that fail, and many small files."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from platform_process import PlatformProcess
from program import find_program
from rest_user import RestUser

LARGE = 96 << 20


class Room:
    """Someone with a conversation to put files into."""

    def __init__(self, user: RestUser, conversation_id: str) -> None:
        self.user = user
        self.conversation_id = conversation_id

    async def file(self, data: Any, filename: str = "f") -> str:
        """The id of a new file."""
        params = {"conversation_id": self.conversation_id, "filename": filename}
        status, body = await self.user.call("POST", "/v1/files", data=data, params=params)
        assert status == 200, body
        return str(body["file"]["file_id"])

    async def link(self, file_id: str) -> str:
        """A fresh URL to download a file."""
        status, body = await self.user.get(f"/v1/files/{file_id}/download")
        assert status == 200, body
        return str(body["download_url"])


@pytest.fixture
async def room(strict_platform: PlatformProcess) -> AsyncIterator[Room]:
    """A new one."""
    async with aiohttp.ClientSession(strict_platform.url) as session:
        ann, ben = await RestUser.join(session), await RestUser.join(session)
        yield Room(ann, await ann.direct(ben))


async def status_of(url: str, **headers: str) -> tuple[int, bytes]:
    """What a stranger gets."""
    async with aiohttp.ClientSession() as stranger, stranger.get(url, headers=headers) as answer:
        return answer.status, await answer.read()


async def test_a_link_ends(room: Room) -> None:
    """It gives a stranger the file, and after its time nothing."""
    file_id = await room.file(b"secret")
    async with asyncio.timeout(60):
        # Again, should the machine be so slow that a link ends on its way.
        while (got := await status_of(url := await room.link(file_id))) != (200, b"secret"):
            assert got[0] == 403
        while (await status_of(url))[0] != 403:
            await asyncio.sleep(0.1)
    assert b"secret" not in (await status_of(url))[1]


async def test_a_link_is_for_one_object_and_nothing_is_open_without(room: Room) -> None:
    """Neither another file's place in the link, nor the link without its signature, leads to anything."""
    mine, other = await room.file(b"mine"), await room.file(b"other")
    url, other_url = await room.link(mine), await room.link(other)
    if "?" not in url:  # sealed: there is no place to change, but another's seal
        token, other_token = url.rpartition("/")[2], other_url.rpartition("/")[2]
        half = len(token) // 2
        assert (await status_of(url.replace(token, token[:half] + other_token[half:])))[0] == 403
        assert (await status_of(url.replace(token, "")))[0] in (403, 404)
        return
    for changed in (url.replace(mine, other), url.partition("?")[0], url.partition("?")[0].rpartition("/files/")[0]):
        status, body = await status_of(changed)
        assert status == 403, changed
        assert b"other" not in body


async def test_many_small_files(room: Room, request: pytest.FixtureRequest) -> None:
    """Hundreds of files, several at once, are all there afterwards, each with its own bytes."""
    count = request.config.getoption("--small-files")
    turn = asyncio.Semaphore(8)

    async def add(number: int) -> str:
        async with turn:
            return await room.file(b"%d" % number, f"{number}.txt")

    ids = await asyncio.gather(*(add(number) for number in range(count)))
    listed: dict[str, str] = {}
    token = ""
    while True:
        path = f"/v1/conversations/{room.conversation_id}/files"
        status, body = await room.user.get(path, page_size="100", page_token=token)
        assert status == 200, body
        listed |= {file["file_id"]: file["filename"] for file in body["files"]}
        token = body["next_page_token"]
        if not token:
            break
    assert listed == {file_id: f"{number}.txt" for number, file_id in enumerate(ids)}
    for number in range(0, count, max(1, count // 10)):
        headers = {"authorization": f"Bearer {room.user.token}"}
        async with room.user.session.get(f"/v1/files/{ids[number]}/content", headers=headers) as answer:
            assert await answer.read() == b"%d" % number


async def test_a_download_that_fails_looks_failed(strict_platform: PlatformProcess, room: Room, tmp_path: Path) -> None:
    """When the bytes end in the middle, curl says so and does not take what came for the file."""
    objects = strict_platform.data_dir / "files" / "objects"
    if not objects.exists():
        pytest.skip("the store is not a folder")
    curl = find_program("curl")

    async def zeros() -> AsyncIterator[bytes]:
        for _ in range(LARGE >> 20):
            yield bytes(1 << 20)

    file_id = await room.file(zeros())
    (stored,) = [path for path in objects.rglob("*") if file_id in path.name]
    got = tmp_path / "got"
    arguments = ("-sS", "--limit-rate", "4M", "-o", str(got), "-H", f"authorization: Bearer {room.user.token}")
    process = await asyncio.create_subprocess_exec(
        curl, *arguments, f"{strict_platform.url}/v1/files/{file_id}/content"
    )
    async with asyncio.timeout(60):
        while not (got.exists() and got.stat().st_size):
            await asyncio.sleep(0.01)
        os.truncate(stored, 0)
        assert await process.wait() == 18  # transfer closed with outstanding data remaining
    assert got.stat().st_size < LARGE
