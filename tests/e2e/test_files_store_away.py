"""The store of files dies in the middle of an upload, and of a download, and comes back."""

import asyncio
import io
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest
from engine_endpoints import VARIABLE
from file_people import People
from platform_process import PlatformProcess
from program import find_program
from rest_user import reason
from tools.engines import Engines

PIECE = 1 << 20
PART = 8 * PIECE
DATA = random.Random(13).randbytes(3 * PART)
LARGE = 96 * PIECE
"""More than all buffers on the way hold."""
STORE = "minio"


@pytest.fixture
def engines(pytestconfig: pytest.Config) -> Iterator[Engines]:
    """Those of the platform; the store of files runs again afterwards."""
    if pytestconfig.getoption("platform") == "standalone":
        pytest.skip("its store is a folder, which does not go away")
    engines = Engines(Path(os.environ[VARIABLE]).parent)
    yield engines
    engines.start(STORE)


async def test_an_upload_goes_on_once_the_store_is_back(people: People, engines: Engines) -> None:
    """While it is away, whatever needs it is refused with UNAVAILABLE and a time to wait; what was committed is known
    all the while, and with the rest of the bytes it becomes the file."""
    ann, upload_id = people.ann, await people.upload(len(DATA))
    upload = f"/v1/uploads/{upload_id}"
    kept = await people.file(b"abc")

    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(DATA), PIECE):
            if start == 2 * PART:
                async with asyncio.timeout(60):
                    while await people.committed(upload_id) < PART:
                        await asyncio.sleep(0.02)
                await asyncio.to_thread(engines.kill, STORE)
            yield DATA[start : start + PIECE]

    with suppress(aiohttp.ClientError):  # which a refusal is that comes while bytes are still written
        status, answer = await ann.call("PUT", f"{upload}/content", params={"offset": "0"}, data=body())
        assert (status, reason(answer)) == (503, "UNAVAILABLE")
    committed = await people.committed(upload_id)
    assert PART <= committed < len(DATA)
    headers = {"authorization": f"Bearer {ann.token}"}
    for method, path, options in (
        ("PUT", f"{upload}/content", {"params": {"offset": str(committed)}, "data": b"x"}),
        ("POST", "/v1/uploads", {"json": {"conversation_id": people.room, "filename": "f"}}),
        ("GET", f"/v1/files/{kept['file_id']}/content", {}),
    ):
        async with ann.session.request(method, path, headers=headers, **options) as refused:
            assert (refused.status, reason(await refused.json())) == (503, "UNAVAILABLE"), path
            assert int(refused.headers["retry-after"]) > 0
    await asyncio.to_thread(engines.start, STORE)
    async with asyncio.timeout(60):
        while (done := await people.put(upload_id, committed, DATA[committed:]))[0] == 503:
            await asyncio.sleep(0.1)
    assert (done[0], done[1]["file"]["state"]) == (200, "AVAILABLE")
    async with ann.session.get(f"/v1/files/{done[1]['file']['file_id']}/content", headers=headers) as content:
        assert await content.read() == DATA


async def test_a_download_that_fails_looks_failed(
    people: People, platform: PlatformProcess, engines: Engines, tmp_path: Path
) -> None:
    """When the store dies in the middle, curl says that the transfer was cut."""
    curl, got = find_program("curl"), tmp_path / "got"
    file = await people.file(io.BytesIO(bytes(LARGE)))
    arguments = ("-sS", "--limit-rate", "4M", "-o", str(got), "-H", f"authorization: Bearer {people.ann.token}")
    url = f"{platform.url}/v1/files/{file['file_id']}/content"
    process = await asyncio.create_subprocess_exec(curl, *arguments, url)
    async with asyncio.timeout(60):
        while not (got.exists() and got.stat().st_size):
            await asyncio.sleep(0.01)
        await asyncio.to_thread(engines.kill, STORE)
        assert await process.wait() == 18  # transfer closed with outstanding data remaining
    assert got.stat().st_size < LARGE
