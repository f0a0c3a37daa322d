"""The process is killed in the middle of uploads."""

import asyncio
import hashlib
import io
import random
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from platform_process import PlatformProcess
from rest_user import RestUser

SIZE = 40_000_000
PIECE = 250_000


async def new_upload(user: RestUser, size: int, **fields: str) -> str:
    """An upload in a conversation of its own."""
    friend = await RestUser.join(user.session)
    room = await user.direct(friend)
    status, body = await user.post("/v1/uploads", conversation_id=room, filename="f", size_bytes=str(size), **fields)
    assert status == 200, body
    return str(body["upload"]["upload_id"])


async def test_what_is_committed_survives_kills(tmp_path: Path) -> None:
    """After each kill -9 committed_size is at least what was reported before; writing on gives the right file."""
    data = random.Random(3).randbytes(SIZE)
    platform = PlatformProcess(tmp_path)
    platform.start()
    try:
        async with aiohttp.ClientSession(platform.url) as session:
            user = await RestUser.join(session)
            upload_id = await new_upload(user, SIZE, sha256=hashlib.sha256(data).hexdigest())
        committed = 0
        for _ in range(3):
            committed = await _write_until_killed(platform, user, upload_id, data, committed)
            platform.start()
        async with aiohttp.ClientSession(platform.url) as session:
            user.session = session
            status, body = await user.call(
                "PUT",
                f"/v1/uploads/{upload_id}/content",
                params={"offset": str(committed)},
                data=io.BytesIO(data[committed:]),
            )
            assert (status, body["file"]["state"]) == (200, "AVAILABLE")
            headers = {"authorization": f"Bearer {user.token}"}
            async with session.get(f"/v1/files/{body['file']['file_id']}/content", headers=headers) as answer:
                assert await answer.read() == data
    finally:
        platform.close()


async def _write_until_killed(
    platform: PlatformProcess, user: RestUser, upload_id: str, data: bytes, known: int
) -> int:
    """Write from what is committed on, kill the process once a further part is, and return what it had reported."""
    async with aiohttp.ClientSession(platform.url) as session:
        user.session = session
        path = f"/v1/uploads/{upload_id}"
        committed = await _committed(user, path)
        assert committed >= known
        writing = asyncio.create_task(_write_slowly(user, path, committed, data))
        async with asyncio.timeout(60):
            while (reported := await _committed(user, path)) == committed:
                await asyncio.sleep(0.005)
        platform.kill()
        await asyncio.wait([writing])
        writing.exception()
        return reported


async def _write_slowly(user: RestUser, path: str, offset: int, data: bytes) -> None:
    async def body() -> AsyncIterator[bytes]:
        for start in range(offset, len(data), PIECE):
            yield data[start : start + PIECE]
            await asyncio.sleep(0.01)

    await user.call("PUT", f"{path}/content", params={"offset": str(offset)}, data=body())


async def _committed(user: RestUser, path: str) -> int:
    status, body = await user.get(path)
    assert status == 200, body
    return int(body["upload"]["committed_size"])
