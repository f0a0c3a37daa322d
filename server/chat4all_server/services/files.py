"""chat4all.files.v1.FileService."""

from collections.abc import AsyncIterable, AsyncIterator

import google_crc32c

from chat4all.files.v1 import file_pb2
from chat4all.files.v1 import file_service_pb2 as pb
from chat4all.files.v1 import file_service_pb2_grpc as grpc_pb
from chat4all_core.app.file_use_cases import FileUseCases
from chat4all_core.app.read_files import byte_range
from chat4all_core.app.write_upload import Write
from chat4all_core.domain.upload import Upload
from chat4all_server.interceptors.authentication import caller
from chat4all_server.interceptors.interceptor import Context
from chat4all_server.page_token import PageTokens, page_size
from chat4all_server.services.upload_chunks import first_and_rest, uploaded_chunks, written_chunks
from chat4all_server.translate import timestamp_to_proto
from chat4all_server.translate_file import (
    file_to_proto,
    new_file_from_proto,
    part_links_to_proto,
    upload_to_proto,
)


class FileService(grpc_pb.FileServiceServicer):
    """Files and uploads."""

    def __init__(self, files: FileUseCases, page_tokens: PageTokens, max_file_bytes: int) -> None:
        self._files = files
        self._page_tokens = page_tokens
        self._max_file_bytes = max_file_bytes

    async def CreateUpload(self, request: pb.CreateUploadRequest, context: Context) -> pb.CreateUploadResponse:
        """See the contract."""
        upload, file = await self._files.create_upload(caller().user_id, new_file_from_proto(request))
        return pb.CreateUploadResponse(upload=self._upload(upload), file=file_to_proto(file))

    async def WriteUpload(
        self, request_iterator: AsyncIterable[pb.WriteUploadRequest], context: Context
    ) -> pb.WriteUploadResponse:
        """See the contract."""
        first, rest = await first_and_rest(request_iterator, pb.WriteUploadRequest())
        total = first.total_size if first.HasField("total_size") else None
        write = Write(first.upload_id, first.offset, total)
        chunks = written_chunks(first, rest)
        del first
        upload, file = await self._files.write_upload(caller().user_id, write, chunks)
        return pb.WriteUploadResponse(upload=self._upload(upload), file=None if file is None else file_to_proto(file))

    async def GetUpload(self, request: pb.GetUploadRequest, context: Context) -> pb.GetUploadResponse:
        """See the contract."""
        upload, file = await self._files.get_upload(caller().user_id, request.upload_id)
        return pb.GetUploadResponse(upload=self._upload(upload), file=file_to_proto(file))

    async def CancelUpload(self, request: pb.CancelUploadRequest, context: Context) -> pb.CancelUploadResponse:
        """See the contract."""
        await self._files.cancel_upload(caller().user_id, request.upload_id)
        return pb.CancelUploadResponse()

    async def CreateDirectUpload(
        self, request: pb.CreateDirectUploadRequest, context: Context
    ) -> pb.CreateDirectUploadResponse:
        """See the contract."""
        links = await self._files.direct_upload.links(
            caller().user_id, request.upload_id, request.first_part, request.part_count
        )
        return part_links_to_proto(links)

    async def CompleteDirectUpload(
        self, request: pb.CompleteDirectUploadRequest, context: Context
    ) -> pb.CompleteDirectUploadResponse:
        """See the contract."""
        file = await self._files.direct_upload.complete(caller().user_id, request.upload_id)
        return pb.CompleteDirectUploadResponse(file=file_to_proto(file))

    async def UploadFile(
        self, request_iterator: AsyncIterable[pb.UploadFileRequest], context: Context
    ) -> pb.UploadFileResponse:
        """See the contract."""
        first, rest = await first_and_rest(request_iterator, pb.UploadFileRequest())
        new, chunks = new_file_from_proto(first), uploaded_chunks(first, rest)
        del first
        file = await self._files.upload_file(caller().user_id, new, chunks)
        return pb.UploadFileResponse(file=file_to_proto(file))

    async def GetFile(self, request: pb.GetFileRequest, context: Context) -> pb.GetFileResponse:
        """See the contract."""
        file = await self._files.read_files.get(caller().user_id, request.file_id)
        return pb.GetFileResponse(file=file_to_proto(file))

    async def ListFiles(self, request: pb.ListFilesRequest, context: Context) -> pb.ListFilesResponse:
        """See the contract. A page token holds the position of the last file of its page."""
        user_id, size = caller().user_id, page_size(request.page_size)
        scope = ("ListFiles", user_id, request.conversation_id)
        before = self._page_tokens.read(request.page_token, *scope) if request.page_token else None
        # One more than the page holds tells whether there is a next one.
        found = await self._files.read_files.list(user_id, request.conversation_id, before, size + 1)
        page = found[:size]
        token = self._page_tokens.issue(page[-1].position, *scope) if len(page) < len(found) else ""
        return pb.ListFilesResponse(files=[file_to_proto(f.file) for f in page], next_page_token=token)

    async def DeleteFile(self, request: pb.DeleteFileRequest, context: Context) -> pb.DeleteFileResponse:
        """See the contract."""
        await self._files.delete_file(caller().user_id, request.file_id)
        return pb.DeleteFileResponse()

    async def GetDownloadUrl(self, request: pb.GetDownloadUrlRequest, context: Context) -> pb.GetDownloadUrlResponse:
        """See the contract."""
        url, expires_at = await self._files.read_files.download_url(caller().user_id, request.file_id)
        return pb.GetDownloadUrlResponse(download_url=url, expire_time=timestamp_to_proto(expires_at))

    async def DownloadFile(
        self, request: pb.DownloadFileRequest, context: Context
    ) -> AsyncIterator[pb.DownloadFileResponse]:
        """See the contract. What is read ahead of what the client takes is a piece of the store's."""
        file = await self._files.read_files.available(caller().user_id, request.file_id)
        offset, end = byte_range(file, request.offset, request.limit)
        yield pb.DownloadFileResponse(file=file_to_proto(file), offset=offset)
        async for piece in self._files.read_files.content(file, offset, end):
            yield pb.DownloadFileResponse(offset=offset, data=piece, crc32c=google_crc32c.value(piece))
            offset += len(piece)

    def _upload(self, upload: Upload) -> file_pb2.Upload:
        return upload_to_proto(upload, self._max_file_bytes)
