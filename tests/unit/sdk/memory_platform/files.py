"""The service of files, over the state of the tests."""

import asyncio
import hashlib
import uuid
from collections import deque
from dataclasses import dataclass, field

import google_crc32c
import grpc
from aiohttp import web

from chat4all.files.v1 import file_pb2
from chat4all.files.v1 import file_service_pb2 as pb
from chat4all.files.v1.file_service_pb2_grpc import FileServiceServicer

from .refusal import Refusal, connection_lost
from .state import State, now

PART = 256 * 1024


@dataclass
class StoredUpload:
    """An upload, its file, and the bytes that came."""

    upload: file_pb2.Upload
    file: file_pb2.File
    data: bytearray = field(default_factory=bytearray)
    parts: dict[int, bytes] = field(default_factory=dict)
    direct: bool = False
    writer: asyncio.Event | None = None
    """Set when another writer takes over."""

    @property
    def part_count(self) -> int:
        return -(-self.upload.size_bytes // PART)


@dataclass
class FileFaults:
    """What the tests ask to go wrong."""

    cuts: deque[int] = field(default_factory=deque)
    """After how many bytes each of the next streams breaks."""
    forgets: int = 0
    """How many of the bytes that came before a cut were not durable."""
    damages: int = 0
    """How many chunks to come are damaged on their way."""
    wrong_sum: bool = False
    """Whether the next file gets another SHA-256 than its bytes have."""
    part_statuses: deque[int] = field(default_factory=deque)
    """What the next PUTs of parts answer instead of storing them."""


class Files(FileServiceServicer):
    """Uploads and files; `store_url` is where the store of parts listens."""

    def __init__(self, state: State, chunk_size: int = 64 * 1024) -> None:
        self._state = state
        self._chunk_size = chunk_size
        self.faults = FileFaults()
        self.uploads: dict[str, StoredUpload] = {}
        self.received = 0
        """Bytes that came over WriteUpload, those that were there already included."""
        self.store_url = "http://localhost:1"

    async def CreateUpload(self, request, context):
        caller = self._state.caller(context)
        self._state.conversation(request.conversation_id, caller)
        file = file_pb2.File(
            file_id=str(uuid.uuid4()),
            conversation_id=request.conversation_id,
            filename=request.filename,
            mime_type=request.mime_type,
            sha256="",
            state=file_pb2.FileState.PENDING,
            create_time=now(),
            owner=caller,
        )
        upload = file_pb2.Upload(
            upload_id=str(uuid.uuid4()), file_id=file.file_id, chunk_size=self._chunk_size, expire_time=now()
        )
        if request.HasField("size_bytes"):
            upload.size_bytes = request.size_bytes
        self.uploads[upload.upload_id] = StoredUpload(upload, file)
        return pb.CreateUploadResponse(upload=upload, file=file)

    async def GetUpload(self, request, context):
        stored = self._upload(request.upload_id, context)
        return pb.GetUploadResponse(upload=stored.upload, file=stored.file)

    async def CancelUpload(self, request, context):
        del self.uploads[self._upload(request.upload_id, context).upload.upload_id]
        return pb.CancelUploadResponse()

    async def WriteUpload(self, requests, context):
        try:
            return await self._write(aiter(requests), context)
        except Refusal as refusal:
            await refusal.abort(context)

    async def _write(self, requests, context):
        first = await anext(requests)
        self._state.calls.append(("WriteUpload", first))
        await self._state.notify()
        stored = self._upload(first.upload_id, context)
        if stored.direct:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "direct", "UPLOAD_IS_DIRECT")
        if stored.writer is not None:
            stored.writer.set()
        stored.writer = me = asyncio.Event()
        cut = self.faults.cuts.popleft() if self.faults.cuts else None
        position, finish = first.offset, False
        assert position <= stored.upload.committed_size
        async for request in requests:
            finish = request.finish
            if me.is_set():
                raise Refusal(grpc.StatusCode.ABORTED, "somebody else goes on", "UPLOAD_TAKEN_OVER")
            position = self._receive(stored, position, request)
            if cut is not None and position >= cut:
                del stored.data[len(stored.data) - self.faults.forgets :]
                stored.upload.committed_size = len(stored.data)
                raise connection_lost()
        if finish or (stored.upload.HasField("size_bytes") and len(stored.data) == stored.upload.size_bytes):
            self._finish(stored)
        return pb.WriteUploadResponse(
            upload=stored.upload,
            file=stored.file if stored.file.state == file_pb2.FileState.AVAILABLE else None,
        )

    def _receive(self, stored: StoredUpload, position: int, request: pb.WriteUploadRequest) -> int:
        data = request.content.data
        self.received += len(data)
        if self.faults.damages:
            self.faults.damages -= 1
            data = data[:-1] + bytes([data[-1] ^ 1])
        if data and google_crc32c.value(data) != request.crc32c:
            raise Refusal(grpc.StatusCode.INVALID_ARGUMENT, "the chunk is damaged", "CHUNK_CORRUPT")
        stored.data += data[max(0, len(stored.data) - position) :]
        stored.upload.committed_size = len(stored.data)
        return position + len(data)

    async def CreateDirectUpload(self, request, context):
        stored = self._upload(request.upload_id, context)
        stored.direct = True
        first = request.first_part or 1
        answer = pb.CreateDirectUploadResponse(total_parts=stored.part_count)
        for number in range(first, min(first + (request.part_count or 100), stored.part_count + 1)):
            offset = (number - 1) * PART
            answer.parts.add(
                part_number=number,
                offset=offset,
                size_bytes=min(PART, stored.upload.size_bytes - offset),
                url=f"{self.store_url}/{stored.upload.upload_id}/{number}",
            )
        return answer

    async def CompleteDirectUpload(self, request, context):
        stored = self._upload(request.upload_id, context)
        if not stored.direct:
            raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "it is not direct", "UPLOAD_IS_DIRECT")
        there = 0
        for number in range(1, stored.part_count + 1):
            if number not in stored.parts:
                raise Refusal(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    "parts are missing",
                    "UPLOAD_INCOMPLETE",
                    {"committed_size": str(there)},
                )
            there += len(stored.parts[number])
        stored.data = bytearray().join(stored.parts[n] for n in range(1, stored.part_count + 1))
        self._finish(stored)
        return pb.CompleteDirectUploadResponse(file=stored.file)

    async def GetFile(self, request, context):
        return pb.GetFileResponse(file=self._file(request.file_id, context).file)

    async def ListFiles(self, request, context):
        caller = self._state.caller(context)
        self._state.conversation(request.conversation_id, caller)
        found = [
            s.file
            for s in reversed(self.uploads.values())
            if s.file.conversation_id == request.conversation_id and s.file.state == file_pb2.FileState.AVAILABLE
        ]
        start = int(request.page_token or 0)
        end = start + (request.page_size or 50)
        return pb.ListFilesResponse(files=found[start:end], next_page_token=str(end) if end < len(found) else "")

    async def DeleteFile(self, request, context):
        self._file(request.file_id, context).file.state = file_pb2.FileState.DELETED
        return pb.DeleteFileResponse()

    async def GetDownloadUrl(self, request, context):
        self._file(request.file_id, context)
        return pb.GetDownloadUrlResponse(download_url=f"{self.store_url}/{request.file_id}", expire_time=now())

    async def DownloadFile(self, request, context):
        try:
            stored = self._file(request.file_id, context)
        except Refusal as refusal:
            await refusal.abort(context)
        self._state.calls.append(("DownloadFile", request))
        await self._state.notify()
        cut = self.faults.cuts.popleft() if self.faults.cuts else None
        end = min(len(stored.data), request.offset + request.limit) if request.limit else len(stored.data)
        yield pb.DownloadFileResponse(file=stored.file, offset=request.offset)
        for offset in range(request.offset, end, self._chunk_size):
            if cut is not None and offset >= cut:
                await connection_lost().abort(context)
            data = bytes(stored.data[offset : min(end, offset + self._chunk_size)])
            crc32c = google_crc32c.value(data)
            if self.faults.damages:
                self.faults.damages -= 1
                crc32c ^= 1
            yield pb.DownloadFileResponse(offset=offset, data=data, crc32c=crc32c)

    async def receive_part(self, request: web.Request) -> web.Response:
        """A part that comes by its URL."""
        stored = self.uploads[request.match_info["upload_id"]]
        data = await request.read()
        if self.faults.part_statuses:
            return web.Response(status=self.faults.part_statuses.popleft())
        assert len(data) == request.content_length
        stored.parts[int(request.match_info["number"])] = data
        return web.Response()

    def _finish(self, stored: StoredUpload) -> None:
        stored.file.size_bytes = stored.upload.committed_size = len(stored.data)
        stored.file.sha256 = hashlib.sha256(stored.data + (b"!" if self.faults.wrong_sum else b"")).hexdigest()
        stored.file.sha256_verified = True
        stored.file.state = file_pb2.FileState.AVAILABLE

    def _upload(self, upload_id: str, context) -> StoredUpload:
        caller = self._state.caller(context)
        stored = self.uploads.get(upload_id)
        if stored is None or stored.file.owner != caller:
            raise Refusal(grpc.StatusCode.NOT_FOUND, "there is no such upload", "UPLOAD_NOT_FOUND")
        return stored

    def _file(self, file_id: str, context) -> StoredUpload:
        self._state.caller(context)
        for stored in self.uploads.values():
            if stored.file.file_id == file_id:
                return stored
        raise Refusal(grpc.StatusCode.NOT_FOUND, "there is no such file", "FILE_NOT_FOUND")
