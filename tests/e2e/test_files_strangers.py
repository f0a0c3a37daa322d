"""Whoever takes no part in a conversation reaches none of its files and uploads: by no RPC, and by no REST form."""

import asyncio
import io
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import grpc
import pytest
from file_people import People
from google.api.httpbody_pb2 import HttpBody
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from platform_process import PlatformProcess
from rest_user import RestUser, reason

from chat4all.files.v1 import file_service_pb2 as pb
from chat4all.files.v1.file_service_pb2_grpc import FileServiceStub

DENIED = "NOT_A_PARTICIPANT"
HTTP_STATUSES = {grpc.StatusCode.PERMISSION_DENIED: 403, grpc.StatusCode.UNAUTHENTICATED: 401}


@dataclass
class Target:
    """What Ann has, and others want."""

    room: str
    file_id: str
    upload_id: str


@dataclass
class Call:
    """An RPC in all its forms."""

    request: Any
    rest: tuple[tuple[str, str, Mapping[str, Any]], ...]
    """Method, path and options of the requests that do the same."""


def every_call(target: Target) -> dict[str, Call]:
    """By the names of the RPCs."""
    room, upload_id = target.room, target.upload_id
    file, upload = f"/v1/files/{target.file_id}", f"/v1/uploads/{upload_id}"
    query = {"conversation_id": room, "filename": "f"}
    form = aiohttp.FormData({"conversation_id": room, "file": io.BytesIO(b"abc")})
    body, of_upload, of_file = HttpBody(data=b"abc"), {"upload_id": upload_id}, {"file_id": target.file_id}
    return {
        "CreateUpload": Call(pb.CreateUploadRequest(**query), (("POST", "/v1/uploads", {"json": query}),)),
        "WriteUpload": Call(
            [pb.WriteUploadRequest(content=body, **of_upload)],
            (("PUT", f"{upload}/content", {"params": {"offset": "0"}, "data": b"abc"}),),
        ),
        "GetUpload": Call(pb.GetUploadRequest(**of_upload), (("GET", upload, {}),)),
        "CancelUpload": Call(pb.CancelUploadRequest(**of_upload), (("DELETE", upload, {}),)),
        "CreateDirectUpload": Call(pb.CreateDirectUploadRequest(**of_upload), (("POST", f"{upload}/parts", {}),)),
        "CompleteDirectUpload": Call(
            pb.CompleteDirectUploadRequest(**of_upload), (("POST", f"{upload}/complete", {}),)
        ),
        "UploadFile": Call(
            [pb.UploadFileRequest(content=body, size_bytes=3, **query)],
            (
                ("POST", "/v1/files", {"params": query, "data": b"abc"}),
                ("POST", "/v1/files", {"data": form}),
            ),
        ),
        "GetFile": Call(pb.GetFileRequest(**of_file), (("GET", file, {}),)),
        "ListFiles": Call(pb.ListFilesRequest(conversation_id=room), (("GET", f"/v1/conversations/{room}/files", {}),)),
        "DeleteFile": Call(pb.DeleteFileRequest(**of_file), (("DELETE", file, {}),)),
        "GetDownloadUrl": Call(pb.GetDownloadUrlRequest(**of_file), (("GET", f"{file}/download", {}),)),
        "DownloadFile": Call(pb.DownloadFileRequest(**of_file), (("GET", f"{file}/content", {}),)),
    }


async def by_grpc(stub: FileServiceStub, user: RestUser, name: str, request: Any) -> tuple[int, str]:
    """How an RPC is refused: as REST would have it, and why."""
    metadata = (("authorization", f"Bearer {user.token}"),)
    call = getattr(stub, name)(iter(request) if isinstance(request, list) else request, metadata=metadata)
    outcome = anext(aiter(call)) if name == "DownloadFile" else call
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await outcome
    info, status = error_details_pb2.ErrorInfo(), rpc_status.from_call(refused.value)
    assert status is not None
    assert any(detail.Unpack(info) for detail in status.details)
    return HTTP_STATUSES[refused.value.code()], info.reason


async def expect_denied(stub: FileServiceStub, user: RestUser, target: Target, *may: str) -> None:
    """Somebody gets nothing, by any form of any RPC but those that they may call."""
    calls = every_call(target)
    assert set(calls) == {method.name for method in pb.DESCRIPTOR.services_by_name["FileService"].methods}
    for name, call in calls.items():
        if name not in may:
            assert await by_grpc(stub, user, name, call.request) == (403, DENIED), name
            for method, path, options in call.rest:
                status, body = await user.call(method, path, **options)
                assert (status, reason(body)) == (403, DENIED), (method, path)


@pytest.fixture
async def stub(platform: PlatformProcess) -> AsyncIterator[FileServiceStub]:
    """The service, over gRPC."""
    async with grpc.aio.insecure_channel(platform.target) as channel:
        yield FileServiceStub(channel)


@pytest.fixture
async def target(people: People) -> Target:
    """A file of Ann's, and an upload that is half done."""
    upload_id = await people.upload(6)
    assert (await people.put(upload_id, 0, b"abc"))[0] == 200
    return Target(people.room, (await people.file(b"secret"))["file_id"], upload_id)


async def test_strangers_are_refused_by_every_rpc(people: People, stub: FileServiceStub, target: Target) -> None:
    """403 and PERMISSION_DENIED, whatever they ask for; and nothing has changed afterwards."""
    await expect_denied(stub, people.eve, target)
    assert await people.committed(target.upload_id) == 3
    status, body = await people.put(target.upload_id, 3, b"def")
    assert (status, body["file"]["state"]) == (200, "AVAILABLE")
    status, body = await people.ben.get(f"/v1/conversations/{target.room}/files")
    assert len(body["files"]) == 2


async def test_without_a_token_nothing_is_told(people: People, stub: FileServiceStub, target: Target) -> None:
    """401 and UNAUTHENTICATED from every RPC."""
    nobody = RestUser(people.ann.session, "", "", "none")
    for name, call in every_call(target).items():
        assert await by_grpc(stub, nobody, name, call.request) == (401, "TOKEN_INVALID"), name
        for method, path, options in call.rest:
            assert (await nobody.call(method, path, **options))[0] == 401, (method, path)


async def test_who_was_removed_is_a_stranger(people: People, stub: FileServiceStub) -> None:
    """Whoever was taken out of the conversation can't go on with an upload of theirs, nor reach their files: all that
    is left to them is to give the upload up."""
    ann, ben, room = people.ann, people.ben, people.room
    _, body = await ben.post("/v1/uploads", conversation_id=room, filename="f", size_bytes="3")
    upload_id = body["upload"]["upload_id"]
    params = {"conversation_id": room, "filename": "f"}
    _, body = await ben.call("POST", "/v1/files", params=params, data=b"abc")
    target = Target(room, body["file"]["file_id"], upload_id)
    status, body = await ann.call("DELETE", f"/v1/conversations/{room}/participants/{ben.user_id}")
    assert status == 200, body
    async with asyncio.timeout(60):
        while (await ben.get(f"/v1/files/{target.file_id}"))[0] != 403:  # servers know members for a second
            await asyncio.sleep(0.05)
    await expect_denied(stub, ben, target, "CancelUpload")
    assert (await ben.call("DELETE", f"/v1/uploads/{upload_id}"))[0] == 200


async def test_participants_keep_off_others_uploads(people: People, target: Target) -> None:
    """An upload is gone on with, looked at and cancelled by who began it; a file is deleted by its uploader, or an
    admin."""
    upload = f"/v1/uploads/{target.upload_id}"
    for method, path in (
        ("GET", upload),
        ("DELETE", upload),
        ("PUT", f"{upload}/content"),
        ("POST", f"{upload}/parts"),
        ("POST", f"{upload}/complete"),
        ("DELETE", f"/v1/files/{target.file_id}"),
    ):
        status, body = await people.ben.call(method, path)
        assert (status, reason(body)) == (403, "NOT_FILE_OWNER"), (method, path)
    assert await people.committed(target.upload_id) == 3
