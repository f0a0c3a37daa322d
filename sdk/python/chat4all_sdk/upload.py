"""One upload from beginning to end: begun or resumed, the way chosen, the sum compared."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import grpc

from chat4all.files.v1 import file_service_pb2 as pb
from chat4all_sdk import translate_file
from chat4all_sdk.connection import Connection
from chat4all_sdk.direct_offer import is_short_cut
from chat4all_sdk.direct_upload import DirectUnavailable, DirectUpload
from chat4all_sdk.errors import ChatError, DataLoss, FailedPrecondition
from chat4all_sdk.file_models import File, FileState, OnProgress, Upload
from chat4all_sdk.stream_upload import StreamUpload
from chat4all_sdk.transfer import require_sha256
from chat4all_sdk.upload_source import SeekableSource, Source

__all__ = ["NewFile", "upload_file"]

DIRECT_BYTES = 64 << 20
"""From this size on it is asked whether parts may go straight to the store; below, asking would cost more."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """What the caller says of the file. Without a MIME type the platform finds it out."""

    conversation_id: str
    filename: str
    mime_type: str


async def upload_file(
    connection: Connection,
    source: Source,
    new: NewFile,
    *,
    upload_id: str | None,
    direct: bool | None,
    on_upload: Callable[[Upload], None] | None,
    on_progress: OnProgress | None,
) -> File:
    """See FileCalls.upload."""
    run = _Run(connection, source, new, on_upload, on_progress)
    return await (run.start(direct) if upload_id is None else run.go_on(upload_id))


class _Run:
    """The steps, with what all of them need."""

    def __init__(
        self,
        connection: Connection,
        source: Source,
        new: NewFile,
        on_upload: Callable[[Upload], None] | None,
        on_progress: OnProgress | None,
    ) -> None:
        self._connection = connection
        self._source = source
        self._new = new
        self._on_upload = on_upload
        self._on_progress = on_progress

    async def start(self, direct: bool | None) -> File:
        """A new upload, the way that is faster or that the caller wants."""
        seekable = await self._direct_source(direct)
        if seekable is None:
            return await self._stream(await self._begin())
        sha256 = await seekable.sha256()
        upload = await self._begin(sha256)
        return await self._directly(DirectUpload(self._connection, upload, seekable, self._on_progress), upload, sha256)

    async def go_on(self, upload_id: str) -> File:
        """An earlier upload, the way that it was begun."""
        upload, file = await self._find(upload_id)
        seekable = self._source if isinstance(self._source, SeekableSource) else None
        if file is not None:
            if seekable is not None:
                require_sha256(file, await seekable.sha256())
            return file
        if seekable is not None and seekable.size:
            begun = DirectUpload(self._connection, upload, seekable, self._on_progress)
            if await begun.is_begun():
                return await self._directly(begun, upload, await seekable.sha256())
        return await self._stream(upload)

    async def _directly(self, direct: DirectUpload, upload: Upload, sha256: str) -> File:
        try:
            file = await direct.run()
        except DirectUnavailable:
            return await self._stream(await self._begin_again(upload))
        return await self._checked(file, sha256)

    async def _stream(self, upload: Upload) -> File:
        stream = StreamUpload(self._connection, upload, self._source, self._on_progress)
        return await self._checked(*await stream.run())

    async def _direct_source(self, direct: bool | None) -> SeekableSource | None:
        """The source, when its parts are to go straight to the store."""
        source = self._source
        if direct is False or not isinstance(source, SeekableSource) or not source.size:
            return None
        if direct or (source.size >= DIRECT_BYTES and await is_short_cut(self._connection, self._new.conversation_id)):
            return source
        return None

    async def _begin(self, sha256: str = "") -> Upload:
        """A new upload."""
        request = pb.CreateUploadRequest(
            conversation_id=self._new.conversation_id,
            filename=self._new.filename,
            size_bytes=self._source.size,
            mime_type=self._new.mime_type,
            sha256=sha256,
        )
        # Repeated after a lost answer it may leave an upload behind, which expires by itself.
        answer = await self._connection.call(self._connection.files.CreateUpload, request)
        upload = translate_file.upload(answer.upload)
        if self._on_upload is not None:
            self._on_upload(upload)
        return upload

    async def _begin_again(self, useless: Upload) -> Upload:
        """A new upload instead of one that can't be used; that one expires, when it can't be cancelled now."""
        with suppress(ChatError):
            request = pb.CancelUploadRequest(upload_id=useless.upload_id)
            await self._connection.call(self._connection.files.CancelUpload, request)
        return await self._begin()

    async def _find(self, upload_id: str) -> tuple[Upload, File | None]:
        """An upload that was begun before, and its file when it is finished. Raises FailedPrecondition when it is
        not of a source of this size."""
        request = pb.GetUploadRequest(upload_id=upload_id)
        answer = await self._connection.call(self._connection.files.GetUpload, request)
        upload, file = translate_file.upload(answer.upload), translate_file.file(answer.file)
        finished = file.state is FileState.AVAILABLE
        if file.state is FileState.DELETED:
            raise FailedPrecondition(
                grpc.StatusCode.FAILED_PRECONDITION,
                "the file was uploaded, and deleted since",
                reason="UPLOAD_CLOSED",
                metadata={"upload_id": upload_id},
            )
        if (declared := file.size_bytes if finished else upload.size_bytes) != self._source.size and (
            self._source.size is not None
        ):
            raise FailedPrecondition(
                grpc.StatusCode.FAILED_PRECONDITION,
                f"the upload was begun with {declared} bytes, and the source has {self._source.size}",
                metadata={"upload_id": upload_id},
            )
        return upload, file if finished else None

    async def _checked(self, file: File, sha256: str) -> File:
        """The file, if the platform has the bytes of the source. Otherwise it is deleted, and DataLoss raised."""
        try:
            require_sha256(file, sha256)
        except DataLoss:
            with suppress(ChatError):
                request = pb.DeleteFileRequest(file_id=file.file_id)
                await self._connection.call(self._connection.files.DeleteFile, request)
            raise
        return file
