"""The calls about files."""

import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from typing import BinaryIO

from chat4all.files.v1 import file_service_pb2 as pb
from chat4all_sdk import translate_file
from chat4all_sdk.calls import Calls
from chat4all_sdk.download import download_to_file, download_to_path, read_range, target_path
from chat4all_sdk.file_models import DownloadUrl, File, OnProgress, Upload
from chat4all_sdk.models import Page
from chat4all_sdk.paging import items_of_pages
from chat4all_sdk.retry import idempotent
from chat4all_sdk.transfer import require_available, require_sha256
from chat4all_sdk.upload import NewFile, upload_file
from chat4all_sdk.upload_source import UploadSource, open_source

__all__ = ["FileCalls"]


class FileCalls(Calls):
    """Files: upload, download, list, delete. Memory stays the same however large they are."""

    async def upload(
        self,
        conversation_id: str,
        source: UploadSource,
        filename: str | None = None,
        mime_type: str | None = None,
        *,
        upload_id: str | None = None,
        direct: bool | None = None,
        on_upload: Callable[[Upload], None] | None = None,
        on_progress: OnProgress | None = None,
    ) -> File:
        """Uploads a file to a conversation; returns once it is whole, durable and AVAILABLE.

        `source` is a path, a binary file object or an iterable of bytes. Without a `filename` it is that of
        the path. What breaks the transfer is got over: it goes on from what the platform has, and gives up
        when `timeout` seconds after an error brought nothing more. To go on in another process, keep the
        `upload_id` that `on_upload` is told before the first byte goes out (and again, if another upload has
        to be begun), and pass it with the same source. Large files go straight to the store, several parts at a
        time, where it has an address of its own that can be reached; `direct` says yes or no beforehand.

        Raises ChatError, and OSError when the source can't be read: Aborted (UPLOAD_TAKEN_OVER) when someone
        else writes to the same upload, NotFound or FailedPrecondition when `upload_id` is over, DataLoss when
        the platform has other bytes than the source (the file is deleted then), ResourceExhausted.
        """
        async with open_source(source) as (opened, name):
            if not (filename or name):
                raise ValueError("a filename is needed: the source has none")
            return await upload_file(
                self._connection,
                opened,
                NewFile(conversation_id, filename or name, mime_type or ""),
                upload_id=upload_id,
                direct=direct,
                on_upload=on_upload,
                on_progress=on_progress,
            )

    async def get_upload(self, upload_id: str) -> Upload:
        """How far an upload of the caller's has come. Raises NotFound, FailedPrecondition (UPLOAD_CLOSED)."""
        response = await self._connection.call(
            self._connection.files.GetUpload, pb.GetUploadRequest(upload_id=upload_id)
        )
        return translate_file.upload(response.upload)

    async def cancel_upload(self, upload_id: str) -> None:
        """Gives an upload up; its bytes are removed. Raises NotFound, FailedPrecondition when it is finished."""
        request = pb.CancelUploadRequest(upload_id=upload_id)
        await self._connection.call(self._connection.files.CancelUpload, request, rule=idempotent)

    async def download(
        self, file_id: str, target: str | os.PathLike[str] | BinaryIO, *, on_progress: OnProgress | None = None
    ) -> File:
        """Downloads a file to a path (in a folder: under its own name) or to an open binary file.

        What breaks the transfer is got over as in `upload`. At a path nothing is seen until the file is whole
        and its SHA-256 compared, and then it replaces what is there; until then it is beside it, and a later
        download goes on with that. Raises ChatError, and OSError when the target can't be written: DataLoss
        when the bytes are not those that were uploaded.
        """
        file = await self.get_file(file_id)
        require_available(file)
        if isinstance(target, str | os.PathLike):
            await download_to_path(self._connection, file, target_path(target, file), on_progress)
        else:
            await download_to_file(self._connection, file, target, on_progress)
        return file

    async def download_chunks(
        self, file_id: str, *, offset: int = 0, limit: int | None = None
    ) -> AsyncGenerator[bytes, None]:
        """The bytes of a file from `offset` on, at most `limit`, as they come; lost connections are got over.

        Each chunk is checked, and when the file was asked for as a whole its SHA-256 after the last one.
        """
        file = await self.get_file(file_id)
        require_available(file)
        end = file.size_bytes if limit is None else min(file.size_bytes, offset + limit)
        found = hashlib.sha256()
        async with aclosing(read_range(self._connection, file_id, offset, end)) as chunks:
            async for chunk in chunks:
                found.update(chunk)
                yield chunk
        if offset == 0 and end == file.size_bytes:
            require_sha256(file, found.hexdigest())

    async def get_file(self, file_id: str) -> File:
        """What a file is. Raises NotFound, PermissionDenied."""
        response = await self._connection.call(self._connection.files.GetFile, pb.GetFileRequest(file_id=file_id))
        return translate_file.file(response.file)

    async def list_files(self, conversation_id: str, page_size: int = 50, page_token: str = "") -> Page[File]:
        """A page of the files of a conversation that are AVAILABLE, newest first. `page_size` is 1 to 100."""
        request = pb.ListFilesRequest(conversation_id=conversation_id, page_size=page_size, page_token=page_token)
        response = await self._connection.call(self._connection.files.ListFiles, request)
        return Page(tuple(translate_file.file(f) for f in response.files), response.next_page_token)

    def files(self, conversation_id: str, page_size: int = 100) -> AsyncIterator[File]:
        """All files of a conversation that are AVAILABLE, newest first, loaded page by page."""
        return items_of_pages(lambda token: self.list_files(conversation_id, page_size, token))

    async def delete_file(self, file_id: str) -> None:
        """Deletes a file for everybody; its uploader and admins may. Messages that carried it stay."""
        request = pb.DeleteFileRequest(file_id=file_id)
        await self._connection.call(self._connection.files.DeleteFile, request, rule=idempotent)

    async def get_download_url(self, file_id: str) -> DownloadUrl:
        """A URL from which anyone may download the file, without a token, for an hour."""
        request = pb.GetDownloadUrlRequest(file_id=file_id)
        response = await self._connection.call(self._connection.files.GetDownloadUrl, request)
        return translate_file.download_url(response)
