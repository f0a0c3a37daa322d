"""An upload over WriteUpload, gone on with after whatever breaks it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

import google_crc32c
import grpc

from chat4all.files.v1 import file_pb2
from chat4all.files.v1 import file_service_pb2 as pb
from chat4all_sdk import translate_file
from chat4all_sdk.call_status import CallStatus
from chat4all_sdk.connection import Connection
from chat4all_sdk.errors import ChatError, DataLoss
from chat4all_sdk.file_models import File, OnProgress, TransferProgress, Upload
from chat4all_sdk.large_buffers import keep_large_buffers
from chat4all_sdk.retry import connection_lost
from chat4all_sdk.rpc_status import error_from_call
from chat4all_sdk.session import Credentials
from chat4all_sdk.transfer import Attempts, while_alive
from chat4all_sdk.upload_source import RunningHash, Source

__all__ = ["StreamUpload"]

_MAX_CHUNK = 3 << 20  # the platform takes messages of 4 MiB
_NOTICED_SECONDS = 0.3
"""After a lost connection: until its server knows, and tells the others that what it has is yet to be counted."""

_Call = grpc.aio.StreamUnaryCall[pb.WriteUploadRequest, pb.WriteUploadResponse]
_Answer = pb.WriteUploadResponse | pb.GetUploadResponse


class StreamUpload:
    """Sends what the platform does not have yet. Memory holds a few chunks, and of a source that can't be read again
    what is not committed."""

    def __init__(
        self, connection: Connection, upload: Upload, source: Source, on_progress: OnProgress | None = None
    ) -> None:
        self._connection = connection
        self._upload = upload
        self._chunk_size = min(max(1, upload.chunk_size), _MAX_CHUNK)
        self._source = source
        self._on_progress = on_progress
        self._hash = RunningHash()

    async def run(self) -> tuple[File, str]:
        """The file, and the SHA-256 of the bytes of the source.

        Raises ChatError; DataLoss when the source has fewer bytes than were declared.
        """
        keep_large_buffers()
        attempts, committed, trying = Attempts(self._connection), self._upload.committed_size, False
        while True:
            await self._pass_over(committed)
            answer, cut = await self._attempt(attempts, committed, trying)
            if answer.HasField("file") and answer.file.state == file_pb2.FileState.AVAILABLE:
                file = translate_file.file(answer.file)
                await self._pass_over(file.size_bytes)
                return file, self._hash.hexdigest()
            trying = answer.upload.committed_size <= committed
            if not trying:
                attempts.progressed()
            elif not cut:
                raise self._too_short(committed)
            committed = answer.upload.committed_size

    async def _attempt(self, attempts: Attempts, committed: int, trying: bool) -> tuple[_Answer, bool]:
        """One stream from the committed size on: where the upload stands then, and whether the stream was cut.

        `trying`: the one before brought nothing, so this one is of a single chunk: while the platform's store is away,
        megabytes would go out each time before the platform finds out that it can't keep them.
        """
        credentials: Credentials = ()
        try:
            credentials = await self._connection.sessions.credentials()
            return await self._write(committed, credentials, trying), False
        except ChatError as error:
            await attempts.pause(error, credentials)
            if connection_lost(error):
                await asyncio.sleep(_NOTICED_SECONDS)
            return await self._look(), True

    async def _write(self, offset: int, credentials: Credentials, trying: bool) -> pb.WriteUploadResponse:
        call = self._connection.files.WriteUpload(metadata=credentials)
        status = CallStatus(call)
        try:
            await self._send(call, offset, trying)
            return await while_alive(call, self._connection.timeout, self._look)
        except grpc.aio.AioRpcError as failure:
            raise error_from_call(status.true(failure)) from None
        finally:
            call.cancel()

    async def _send(self, call: _Call, offset: int, trying: bool) -> None:
        """Sends until the source ends, or the platform wants no more: the call's status then says why."""
        async with _Writes(call, self._alive) as writes:
            going = await writes.put(pb.WriteUploadRequest(upload_id=self._upload.upload_id, offset=offset))
            self._report(offset)
            while going and (chunk := await self._source.read(offset, self._chunk_size)):
                going = await writes.put(self._request(offset, chunk))
                offset += len(chunk)
                self._report(offset)
                if trying:
                    break
            else:
                if going and self._source.size is None and self._source.ended:
                    await writes.put(pb.WriteUploadRequest(finish=True))
            await writes.end()

    def _request(self, offset: int, chunk: bytes) -> pb.WriteUploadRequest:
        self._hash.take(offset, chunk)  # half a millisecond: to have a thread do it cost a tenth more
        request = pb.WriteUploadRequest(crc32c=google_crc32c.value(chunk))
        request.content.data = chunk  # given to the constructor, it would be copied twice
        return request

    async def _alive(self, writing: Awaitable[None]) -> None:
        await while_alive(writing, self._connection.timeout, self._look)

    async def _look(self) -> pb.GetUploadResponse:
        request = pb.GetUploadRequest(upload_id=self._upload.upload_id)
        return await self._connection.call(self._connection.files.GetUpload, request)

    async def _pass_over(self, committed: int) -> None:
        """Brings the hash to the committed size, and lets go of what lies before it."""
        while (position := self._hash.position) < committed:
            chunk = await self._source.read(position, min(self._chunk_size, committed - position))
            if not chunk:
                raise self._too_short(position)
            await asyncio.to_thread(self._hash.take, position, chunk)
            self._source.release(self._hash.position)
        self._source.release(committed)

    def _report(self, done: int) -> None:
        if self._on_progress is not None:
            self._on_progress(TransferProgress(done, self._source.size))

    def _too_short(self, size: int) -> DataLoss:
        return DataLoss(
            grpc.StatusCode.DATA_LOSS,
            f"the source ended after {size} bytes, before all that belong to the upload were sent",
            reason="UPLOAD_INCOMPLETE",
            metadata={"committed_size": str(size), "upload_id": self._upload.upload_id},
        )


class _Writes:
    """The messages of one call. Each goes out while whoever put it makes the next one."""

    def __init__(self, call: _Call, alive: Callable[[Awaitable[None]], Awaitable[None]]) -> None:
        """`alive` waits for a message to go out, and raises when the platform is gone."""
        self._call = call
        self._alive = alive
        self._last: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._last is not None:
            self._last.cancel()
            await asyncio.gather(self._last, return_exceptions=True)

    async def put(self, request: pb.WriteUploadRequest) -> bool:
        """Begin to send a message when the one before is out; False when the platform wants no more."""
        going = await self._are_out()
        if going:
            self._last = asyncio.create_task(self._call.write(request))
        return going

    async def end(self) -> None:
        """Nothing more comes."""
        if await self._are_out():
            with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
                await self._call.done_writing()

    async def _are_out(self) -> bool:
        if self._last is not None:
            try:
                await self._alive(self._last)
            except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
                return False
        return True
