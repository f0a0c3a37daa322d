"""An upload over WriteUpload, gone on with after whatever breaks it."""

import asyncio

import google_crc32c
import grpc
from google.api.httpbody_pb2 import HttpBody

from chat4all.files.v1 import file_pb2
from chat4all.files.v1 import file_service_pb2 as pb
from chat4all_sdk import translate_file
from chat4all_sdk.call_status import CallStatus
from chat4all_sdk.connection import Connection
from chat4all_sdk.errors import ChatError, DataLoss
from chat4all_sdk.file_models import File, OnProgress, TransferProgress, Upload
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
        going = await self._put(call, pb.WriteUploadRequest(upload_id=self._upload.upload_id, offset=offset))
        self._report(offset)
        while going and (chunk := await self._source.read(offset, self._chunk_size)):
            crc32c = self._sums(offset, chunk)  # half a millisecond: to have a thread do it cost a tenth more
            going = await self._put(call, pb.WriteUploadRequest(content=HttpBody(data=chunk), crc32c=crc32c))
            offset += len(chunk)
            self._report(offset)
            if trying:
                await self._end(call)
                return
        if going and self._source.size is None and self._source.ended:
            going = await self._put(call, pb.WriteUploadRequest(finish=True))
        if going:
            await self._end(call)

    async def _put(self, call: _Call, request: pb.WriteUploadRequest) -> bool:
        try:
            await while_alive(call.write(request), self._connection.timeout, self._look)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return False
        return True

    async def _end(self, call: _Call) -> None:
        try:
            await call.done_writing()
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return

    def _sums(self, offset: int, chunk: bytes) -> int:
        self._hash.take(offset, chunk)
        crc32c: int = google_crc32c.value(chunk)
        return crc32c

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
