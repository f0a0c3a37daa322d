"""What one user's files and uploads may come to, as clients meet it."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from file_limits import MAX_BYTES_PER_USER, MAX_FILE_BYTES, MAX_UPLOADS_PER_USER
from file_people import People
from platform_process import PlatformProcess
from rest_user import RestUser, reason

PART = 8 << 20


@pytest.fixture
async def people(strict_platform: PlatformProcess) -> AsyncIterator[People]:
    """New ones: nobody has used up anything."""
    async with aiohttp.ClientSession(strict_platform.url) as session:
        yield await People.meet(session, *[await RestUser.join(session) for _ in range(3)])


async def create(user: RestUser, room: str, size: int | None) -> tuple[int, Any]:
    """Ask for an upload."""
    declared = {} if size is None else {"size_bytes": str(size)}
    return await user.post("/v1/uploads", conversation_id=room, filename="f", **declared)


def expect(answer: tuple[int, Any], status: int, why: str, **metadata: int) -> None:
    """A refusal with the limit in its metadata."""
    assert (answer[0], reason(answer[1])) == (status, why)
    info = next(detail for detail in answer[1]["details"] if detail["@type"].endswith("ErrorInfo"))
    assert {name: info["metadata"].get(name) for name in metadata} == {n: str(value) for n, value in metadata.items()}


async def test_a_file_may_be_so_large(people: People) -> None:
    """A larger one is refused before its bytes: when it is declared, by every way, and when its size is told later."""
    over = MAX_FILE_BYTES + 1
    expect(await create(people.ann, people.room, over), 400, "SIZE_EXCEEDED", max_size=MAX_FILE_BYTES)
    params = {"conversation_id": people.room, "filename": "f", "size_bytes": str(over)}
    raw = await people.ann.call("POST", "/v1/files", params=params, data=b"abc")
    expect(raw, 400, "SIZE_EXCEEDED", max_size=MAX_FILE_BYTES)
    upload_id = await people.upload(None)
    late = await people.put(upload_id, 0, b"abc", total_size=str(over))
    expect(late, 400, "SIZE_EXCEEDED", max_size=MAX_FILE_BYTES)


async def test_a_user_may_store_so_much(people: People) -> None:
    """Sizes count from when they are declared until their upload is given up, or their file deleted; others have
    limits of their own."""
    file = await people.file(b"abc")
    rest = MAX_BYTES_PER_USER - MAX_FILE_BYTES
    first = await people.upload(MAX_FILE_BYTES)
    expect(await create(people.ann, people.room, rest), 429, "QUOTA_EXCEEDED", max_bytes=MAX_BYTES_PER_USER)
    assert (await create(people.ben, people.room, rest))[0] == 200
    assert (await people.ann.call("DELETE", f"/v1/files/{file['file_id']}"))[0] == 200
    second = await people.upload(rest)
    expect(await create(people.ann, people.room, 1), 429, "QUOTA_EXCEEDED", max_bytes=MAX_BYTES_PER_USER)
    for upload_id in (first, second):
        assert (await people.ann.call("DELETE", f"/v1/uploads/{upload_id}"))[0] == 200
    assert (await create(people.ann, people.room, MAX_FILE_BYTES))[0] == 200


async def test_bytes_that_nobody_declared_count_as_they_come(people: People) -> None:
    """An upload of unknown size is stopped where the limit is, keeps what it has, and goes on once there is room."""
    data = bytes(PART + 1_000)
    other = await people.upload(MAX_BYTES_PER_USER - PART - 500)
    upload_id = await people.upload(None)
    status, body = await people.put(upload_id, 0, data)
    expect((status, body), 429, "QUOTA_EXCEEDED", max_bytes=MAX_BYTES_PER_USER, committed_size=PART)
    assert await people.committed(upload_id) == PART
    assert (await people.ann.call("DELETE", f"/v1/uploads/{other}"))[0] == 200
    assert (await people.put(upload_id, PART, data[PART:]))[0] == 200
    status, body = await people.put(upload_id, len(data), b"", finish="true")
    assert (status, body["file"]["size_bytes"]) == (200, str(len(data)))


async def test_so_many_uploads_at_once(people: People) -> None:
    """One more is refused until another is finished or given up, with a time to wait."""
    uploads = [await people.upload(3) for _ in range(MAX_UPLOADS_PER_USER)]
    for over in (uploads[0], uploads[1]):
        refused = await create(people.ann, people.room, 3)
        expect(refused, 429, "TOO_MANY_UPLOADS", max_uploads=MAX_UPLOADS_PER_USER)
        assert any(detail["@type"].endswith("RetryInfo") for detail in refused[1]["details"])
        if over == uploads[0]:
            assert (await people.put(over, 0, b"abc"))[0] == 200
        else:
            assert (await people.ann.call("DELETE", f"/v1/uploads/{over}"))[0] == 200
        assert (await create(people.ann, people.room, 3))[0] == 200
