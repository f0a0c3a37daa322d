"""FileService over gRPC, through the real Envoy."""

import hashlib
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import aiohttp
import google_crc32c
import grpc
import pytest
from google.api.httpbody_pb2 import HttpBody
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from platform_process import PlatformProcess
from rest_user import RestUser

from chat4all.files.v1 import file_service_pb2 as pb
from chat4all.files.v1.file_pb2 import FileState
from chat4all.files.v1.file_service_pb2_grpc import FileServiceStub

DATA = random.Random(11).randbytes(20_000_000)
CHUNK = 1 << 20


@dataclass
class Caller:
    """Someone with the service at hand."""

    user: RestUser
    files: FileServiceStub

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What says who calls."""
        return (("authorization", f"Bearer {self.user.token}"),)

    async def upload(self, room: str, data: bytes) -> Any:
        """A file that is AVAILABLE."""
        first = pb.UploadFileRequest(
            conversation_id=room, filename="a.bin", size_bytes=len(data), content=HttpBody(data=data)
        )
        return (await self.files.UploadFile(iter([first]), metadata=self.metadata)).file

    async def write(self, upload_id: str, offset: int, data: bytes) -> Any:
        """Write in chunks with their checksums."""
        requests = [
            pb.WriteUploadRequest(
                upload_id=upload_id,
                offset=offset + start,
                content=HttpBody(data=data[start : start + CHUNK]),
                crc32c=google_crc32c.value(data[start : start + CHUNK]),
            )
            for start in range(0, len(data), CHUNK)
        ]
        return await self.files.WriteUpload(iter(requests), metadata=self.metadata)

    async def download(self, file_id: str, offset: int = 0, limit: int = 0) -> bytes:
        """Bytes of a file, whose places and checksums are looked at."""
        request = pb.DownloadFileRequest(file_id=file_id, offset=offset, limit=limit)
        data = b""
        async for response in self.files.DownloadFile(request, metadata=self.metadata):
            assert response.offset == offset + len(data)
            assert not response.data or response.crc32c == google_crc32c.value(response.data)
            data += response.data
        return data


@dataclass
class People:
    """Two who share a conversation."""

    ann: Caller
    ben: Caller
    room: str


@pytest.fixture
async def people(platform: PlatformProcess) -> AsyncIterator[People]:
    """New ones, on one connection."""
    async with aiohttp.ClientSession(platform.url) as session, grpc.aio.insecure_channel(platform.target) as channel:
        stub = FileServiceStub(channel)
        ann, ben = [Caller(await RestUser.join(session), stub) for _ in range(2)]
        yield People(ann, ben, await ann.user.direct(ben.user))


def refusal(error: grpc.aio.AioRpcError) -> tuple[grpc.StatusCode, str]:
    """The code and the reason."""
    info = error_details_pb2.ErrorInfo()
    status = rpc_status.from_call(error)
    assert status is not None
    assert any(detail.Unpack(info) for detail in status.details)
    return error.code(), info.reason


async def test_an_upload_is_resumed_and_read(people: People) -> None:
    """Created, written in two streams, and read in whole and in part by another participant, then deleted."""
    ann, ben = people.ann, people.ben
    sha256 = hashlib.sha256(DATA).hexdigest()
    request = pb.CreateUploadRequest(
        conversation_id=people.room, filename="../b.bin", size_bytes=len(DATA), sha256=sha256
    )
    upload = (await ann.files.CreateUpload(request, metadata=ann.metadata)).upload
    half = await ann.write(upload.upload_id, 0, DATA[:9_000_000])
    assert (half.upload.committed_size, half.HasField("file")) == (9_000_000, False)
    known = await ann.files.GetUpload(pb.GetUploadRequest(upload_id=upload.upload_id), metadata=ann.metadata)
    assert (known.upload.committed_size, known.file.state) == (9_000_000, FileState.PENDING)
    file = (await ann.write(upload.upload_id, 8_000_000, DATA[8_000_000:])).file
    assert (file.state, file.filename, file.sha256, file.sha256_verified) == (
        FileState.AVAILABLE,
        "b.bin",
        sha256,
        True,
    )

    assert await ben.download(file.file_id) == DATA
    for offset, limit in ((0, 1), (7, 3), (CHUNK - 1, 2), (len(DATA) - 5, 0), (len(DATA) - 5, 100), (len(DATA), 0)):
        assert await ben.download(file.file_id, offset, limit) == DATA[offset : offset + (limit or len(DATA))]
    for offset, limit, code in (
        (-1, 0, grpc.StatusCode.INVALID_ARGUMENT),
        (0, -1, grpc.StatusCode.INVALID_ARGUMENT),
        (len(DATA) + 1, 0, grpc.StatusCode.OUT_OF_RANGE),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await ben.download(file.file_id, offset, limit)
        assert refused.value.code() == code

    listed = await ben.files.ListFiles(pb.ListFilesRequest(conversation_id=people.room), metadata=ben.metadata)
    assert [f.file_id for f in listed.files] == [file.file_id]
    await ann.files.DeleteFile(pb.DeleteFileRequest(file_id=file.file_id), metadata=ann.metadata)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ben.download(file.file_id)
    assert refusal(refused.value) == (grpc.StatusCode.NOT_FOUND, "FILE_NOT_FOUND")


async def test_a_bad_chunk_is_refused_alone(people: People) -> None:
    """A chunk with another checksum ends its stream; what came before it is kept, and the upload goes on."""
    ann = people.ann
    request = pb.CreateUploadRequest(conversation_id=people.room, filename="f", size_bytes=10)
    upload_id = (await ann.files.CreateUpload(request, metadata=ann.metadata)).upload.upload_id
    good = pb.WriteUploadRequest(upload_id=upload_id, content=HttpBody(data=b"01234"))
    bad = pb.WriteUploadRequest(content=HttpBody(data=b"56789"), crc32c=1)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await ann.files.WriteUpload(iter([good, bad]), metadata=ann.metadata)
    assert refusal(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "CHUNK_CORRUPT")
    file = (await ann.write(upload_id, 5, b"56789")).file
    assert await ann.download(file.file_id) == b"0123456789"
