"""The disk of a platform is full for a while."""

import hashlib
import io
import random
import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import aiohttp
import psutil
from file_people import People
from platform_process import PlatformProcess
from rest_user import RestUser, reason

PIECE = 1 << 20
PART = 8 * PIECE
DATA = random.Random(5).randbytes(4 * PART)
ROOM = 20 * PIECE


def limit_files(platform: PlatformProcess, size: int) -> None:
    """Let no file of the platform grow beyond this: the kernel refuses the write, as it does on a full disk."""
    psutil.Process(platform.pid).rlimit(psutil.RLIMIT_FSIZE, (size, psutil.RLIM_INFINITY))


async def test_an_upload_goes_on_once_there_is_room(tmp_path: Path) -> None:
    """Its writer is told that there is none, when to come back and how far it came; messages go on; with the rest of
    the bytes the upload becomes the file."""
    platform = PlatformProcess(tmp_path)
    platform.start()
    try:
        async with aiohttp.ClientSession(platform.url) as session:
            people = await People.meet(session, *[await RestUser.join(session) for _ in range(3)])
            upload_id = await people.upload(len(DATA), sha256=hashlib.sha256(DATA).hexdigest())
            limit_files(platform, ROOM)
            await _write_until_refused(people, upload_id)
            committed = await people.committed(upload_id)
            assert committed == 2 * PART
            await _expect_full(people, upload_id, committed)
            await people.ann.send(people.room, "hello")
            limit_files(platform, psutil.RLIM_INFINITY)
            status, body = await people.put(upload_id, committed, DATA[committed:])
            assert (status, body["file"]["state"]) == (200, "AVAILABLE")
            headers = {"authorization": f"Bearer {people.ben.token}"}
            async with session.get(f"/v1/files/{body['file']['file_id']}/content", headers=headers) as answer:
                assert await answer.read() == DATA
    finally:
        platform.close()


async def test_files_leave_the_disk_to_messages(tmp_path: Path) -> None:
    """Where an upload would leave less of the disk than messages are to have, it is refused, by whichever way it comes;
    messages go on."""
    free = shutil.disk_usage(tmp_path).free
    platform = PlatformProcess(tmp_path, {"CHAT4ALL_FILES_KEEP_FREE_BYTES": str(2 * free)})
    platform.start()
    try:
        async with aiohttp.ClientSession(platform.url) as session:
            people = await People.meet(session, *[await RestUser.join(session) for _ in range(3)])
            for status, answer in (
                await people.put(await people.upload(PIECE), 0, DATA[:PIECE]),
                await people.ann.call("POST", f"/v1/files?conversation_id={people.room}&filename=f", data=DATA[:PIECE]),
            ):
                assert (status, reason(answer)) == (503, "STORAGE_FULL")
            await people.ann.send(people.room, "hello")
    finally:
        platform.close()


async def _write_until_refused(people: People, upload_id: str) -> None:
    async def body() -> AsyncIterator[bytes]:
        for start in range(0, len(DATA), PIECE):
            yield DATA[start : start + PIECE]

    with suppress(aiohttp.ClientError):  # which a refusal is that comes while bytes are still written
        url = f"/v1/uploads/{upload_id}/content"
        status, answer = await people.ann.call("PUT", url, params={"offset": "0"}, data=body())
        assert (status, reason(answer)) == (503, "STORAGE_FULL")


async def _expect_full(people: People, upload_id: str, committed: int) -> None:
    """What comes now is taken, can't be stored, and is refused at its end."""
    async with people.ann.session.put(
        f"/v1/uploads/{upload_id}/content",
        params={"offset": str(committed)},
        data=io.BytesIO(DATA[committed : committed + 5 * PIECE]),
        headers={"authorization": f"Bearer {people.ann.token}"},
    ) as answer:
        body = await answer.json()
        assert (answer.status, reason(body), int(answer.headers["retry-after"])) == (503, "STORAGE_FULL", 30)
    info = next(detail for detail in body["details"] if detail["@type"].endswith("ErrorInfo"))
    assert info["metadata"]["committed_size"] == str(committed)
