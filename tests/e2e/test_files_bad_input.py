"""Bad input to uploads: each is refused with its reason, what is there already is kept, and no wrong file is made.

Offsets, cuts and forms that are none: test_files_rest.py. Chunks with a wrong CRC-32C: test_grpc_files.py. Other
people's uploads: test_files_strangers.py. Names: test_files_names.py.
"""

import asyncio
import hashlib
import io
import random
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import grpc
import pytest
from file_people import People
from google.api.httpbody_pb2 import HttpBody
from grpc_platform import GrpcPlatform, Person
from rest_user import reason
from yarl import URL

from chat4all.files.v1 import file_service_pb2 as pb
from chat4all_core.domain.ids import ParticipantId, UserId

PART = 8 << 20
NOTHING = hashlib.sha256(b"").hexdigest()


async def files_of(people: People) -> list[dict[str, Any]]:
    """What is listed."""
    status, body = await people.ben.get(f"/v1/conversations/{people.room}/files")
    assert status == 200, body
    return list(body["files"])


async def post(people: People, data: bytes, **params: str) -> tuple[int, Any]:
    """A file in one request."""
    params = {"conversation_id": people.room, "filename": "f", **params}
    return await people.ann.call("POST", "/v1/files", params=params, data=data)


def metadata(body: Any) -> dict[str, str]:
    """What a refusal says of the case."""
    return dict(next(d for d in body["details"] if d["@type"].endswith("ErrorInfo"))["metadata"])


async def test_more_bytes_than_declared(people: People) -> None:
    """They are refused, those before them are kept, and the right ones may follow."""
    upload_id = await people.upload(10)
    assert (await people.put(upload_id, 0, b"01234"))[0] == 200
    status, body = await people.put(upload_id, 5, b"567890")
    assert (status, reason(body), metadata(body)) == (
        400,
        "SIZE_EXCEEDED",
        {"max_size": "10", "committed_size": "5"},
    )
    status, body = await people.put(upload_id, 5, b"56789")
    assert (status, body["file"]["sha256"]) == (200, hashlib.sha256(b"0123456789").hexdigest())


async def test_fewer_bytes_than_declared(people: People) -> None:
    """The upload can't be finished with them, stays open, and ends with the rest."""
    upload_id = await people.upload(10)
    assert (await people.put(upload_id, 0, b"01234"))[0] == 200
    status, body = await people.put(upload_id, 5, b"", finish="true")
    assert (status, reason(body), metadata(body)) == (
        400,
        "UPLOAD_INCOMPLETE",
        {"size_bytes": "10", "committed_size": "5"},
    )
    assert await people.committed(upload_id) == 5
    assert (await people.put(upload_id, 5, b"56789"))[1]["file"]["size_bytes"] == "10"


async def test_one_request_with_wrong_facts_leaves_nothing(people: People) -> None:
    """A size or a sum that is none, or is another than that of the bytes, makes no file."""
    for params, expected in (
        ({"size_bytes": "5"}, "UPLOAD_INCOMPLETE"),
        ({"size_bytes": "2"}, "SIZE_EXCEEDED"),
        ({"size_bytes": "-1"}, "FIELD_INVALID"),
        ({"size_bytes": "three"}, "FIELD_INVALID"),
        ({"size_bytes": str(1 << 80)}, "SIZE_EXCEEDED"),
        ({"sha256": NOTHING}, "SHA256_MISMATCH"),
        ({"sha256": "abc"}, "FIELD_INVALID"),
        ({"mime_type": "no type"}, "FIELD_INVALID"),
        ({"filename": ""}, "FIELD_INVALID"),
    ):
        status, body = await post(people, b"abc", **params)
        assert (status, reason(body)) == (400, expected), params
    assert await files_of(people) == []


async def test_files_may_be_empty(people: People) -> None:
    """No bytes make a file, by every way there is, and it is read as such."""
    declared, open_ended = await people.upload(0), await people.upload(None)
    token = {"authorization": f"Bearer {people.ann.token}"}
    form = aiohttp.FormData({"conversation_id": people.room})
    form.add_field("file", io.BytesIO(b""), filename="f")
    answers = [
        await post(people, b""),
        await people.ann.call("POST", "/v1/files", data=form),
        await people.put(declared, 0, b""),
        await people.put(open_ended, 0, b"", finish="true"),
    ]
    for status, body in answers:
        file = body["file"]
        assert (status, file["state"], file["sha256"]) == (200, "AVAILABLE", NOTHING)
        url = f"/v1/files/{file['file_id']}/content"
        async with people.ann.session.get(url, headers=token) as answer:
            assert (answer.status, answer.headers["content-length"], await answer.read()) == (200, "0", b"")
        async with people.ann.session.get(url, headers=token | {"range": "bytes=0-"}) as answer:
            assert answer.status == 416
    assert len(await files_of(people)) == len(answers)


async def test_another_sum_closes_the_upload(people: People) -> None:
    """The refusal has the sum of what came; afterwards there is neither upload nor file."""
    upload_id = await people.upload(3, sha256=NOTHING)
    status, body = await people.put(upload_id, 0, b"abc")
    assert (status, reason(body)) == (400, "SHA256_MISMATCH")
    assert metadata(body)["sha256"] == hashlib.sha256(b"abc").hexdigest()
    for status, body in (await people.put(upload_id, 0, b"abc"), await people.ann.get(f"/v1/uploads/{upload_id}")):
        assert (status, reason(body)) == (400, "UPLOAD_CLOSED")
    assert await files_of(people) == []


async def test_uploads_that_are_over_or_never_were(people: People) -> None:
    """What was cancelled takes nothing more, and cancelling again is nothing; an unknown id is not found."""
    cancelled = await people.upload(3)
    assert (await people.put(cancelled, 0, b"ab"))[0] == 200
    for _ in range(2):
        assert await people.ann.call("DELETE", f"/v1/uploads/{cancelled}") == (200, {})
    for upload_id, expected in ((cancelled, (400, "UPLOAD_CLOSED")), ("none", (404, "UPLOAD_NOT_FOUND"))):
        for method, path in (("PUT", "/content"), ("GET", ""), ("POST", "/parts"), ("POST", "/complete")):
            status, body = await people.ann.call(method, f"/v1/uploads/{upload_id}{path}")
            assert (status, reason(body)) == expected, (method, path)
    status, body = await people.ann.call("DELETE", "/v1/uploads/none")
    assert (status, reason(body)) == (404, "UPLOAD_NOT_FOUND")
    finished = await people.upload(0)
    assert (await people.put(finished, 0, b""))[0] == 200
    status, body = await people.ann.call("DELETE", f"/v1/uploads/{finished}")
    assert (status, reason(body)) == (400, "UPLOAD_CLOSED")


@pytest.mark.parametrize("path", ["%ff", "a%00b", "a%2Fb", "x" * 2_000])
async def test_ids_may_be_anything(people: People, path: str) -> None:
    """Whatever stands where an id belongs is refused as the caller's mistake."""
    for method, url in (("PUT", f"/v1/uploads/{path}/content"), ("GET", f"/v1/files/{path}/content")):
        headers = {"authorization": f"Bearer {people.ann.token}"}
        async with people.ann.session.request(method, URL(url, encoded=True), headers=headers) as answer:
            assert answer.status in (400, 404), url


async def test_two_writers(people: People) -> None:
    """The second one takes the upload over and finishes it: the first, once it hears of it, is refused, and the file
    has the right bytes."""
    data = random.Random(3).randbytes(PART + (2 << 20))
    upload_id = await people.upload(len(data))
    overtaken = asyncio.Event()

    async def first_body() -> AsyncIterator[bytes]:
        yield data[: PART + (1 << 20)]
        await overtaken.wait()
        yield data[PART + (1 << 20) : -1]

    url = f"/v1/uploads/{upload_id}/content"
    first = asyncio.create_task(people.ann.call("PUT", url, params={"offset": "0"}, data=first_body()))
    async with asyncio.timeout(60):
        while (committed := await people.committed(upload_id)) < PART:
            await asyncio.sleep(0.02)
    status, body = await people.put(upload_id, committed, data[committed:])
    assert (status, body["file"]["sha256"]) == (200, hashlib.sha256(data).hexdigest())
    overtaken.set()
    status, body = await first
    assert (status, reason(body)) == (409, "UPLOAD_TAKEN_OVER")


async def test_an_upload_expires(grpc_platform: GrpcPlatform, ann: Person, room: str) -> None:
    """A day after its last byte an upload is over for every RPC."""
    files = grpc_platform.files
    request = pb.CreateUploadRequest(conversation_id=room, filename="f", size_bytes=6)
    upload_id = (await files.CreateUpload(request, metadata=ann.metadata)).upload.upload_id
    write = pb.WriteUploadRequest(upload_id=upload_id, content=HttpBody(data=b"abc"))
    await files.WriteUpload(iter([write]), metadata=ann.metadata)
    grpc_platform.clock.ahead += 24 * 3_600 + 1
    token = (("authorization", f"Bearer {grpc_platform.security.issuer.issue(UserId(ParticipantId(ann.user_id)))}"),)
    write.offset = 3
    for call in (
        files.WriteUpload(iter([write]), metadata=token),
        files.GetUpload(pb.GetUploadRequest(upload_id=upload_id), metadata=token),
        files.CreateDirectUpload(pb.CreateDirectUploadRequest(upload_id=upload_id), metadata=token),
        files.CompleteDirectUpload(pb.CompleteDirectUploadRequest(upload_id=upload_id), metadata=token),
    ):
        with pytest.raises(grpc.aio.AioRpcError, match="expired") as refused:
            await call
        assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION


@pytest.mark.parametrize("pieces", [[b""], [b"", b"a", b"", b"", b"bc", b""]])
async def test_chunks_may_be_empty(grpc_platform: GrpcPlatform, ann: Person, room: str, pieces: list[bytes]) -> None:
    """Messages of no bytes change nothing, wherever they come in a stream."""
    files, data = grpc_platform.files, b"".join(pieces)
    request = pb.CreateUploadRequest(conversation_id=room, filename="f", size_bytes=len(data))
    upload_id = (await files.CreateUpload(request, metadata=ann.metadata)).upload.upload_id
    chunks = [pb.WriteUploadRequest(upload_id=upload_id, content=HttpBody(data=piece)) for piece in pieces]
    written = await files.WriteUpload(iter(chunks), metadata=ann.metadata)
    assert written.file.sha256 == hashlib.sha256(data).hexdigest()


async def test_a_stream_that_says_nothing(grpc_platform: GrpcPlatform, ann: Person, room: str) -> None:
    """The end of a stream is no word that all was sent: not of one without a size, and not of one without a message."""
    files, metadata = grpc_platform.files, ann.metadata
    no_end = pb.UploadFileRequest(conversation_id=room, filename="f", content=HttpBody(data=b"abc"))
    for call, code in (
        (files.UploadFile(iter([no_end]), metadata=metadata), grpc.StatusCode.FAILED_PRECONDITION),
        (files.UploadFile(iter(()), metadata=metadata), grpc.StatusCode.INVALID_ARGUMENT),
        (files.WriteUpload(iter(()), metadata=metadata), grpc.StatusCode.NOT_FOUND),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call
        assert refused.value.code() is code
    listed = await files.ListFiles(pb.ListFilesRequest(conversation_id=room), metadata=metadata)
    assert not listed.files
