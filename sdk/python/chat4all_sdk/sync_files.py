"""The synchronous face of the calls about files."""

import os
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from typing import BinaryIO

from chat4all_sdk.background_loop import BackgroundLoop
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.file_models import DownloadUrl, File, OnProgress, Upload
from chat4all_sdk.models import Page
from chat4all_sdk.paging import sync_items_of_pages
from chat4all_sdk.upload_source import UploadSource

__all__ = ["SyncFileCalls"]


class SyncFileCalls:
    """See FileCalls. Callbacks are called in the background thread; sources are read and targets written there."""

    _client: AsyncClient

    @property
    def _loop(self) -> BackgroundLoop:
        """Where the client runs. Raises RuntimeError when it is not open."""
        raise NotImplementedError

    def upload(
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
        """See AsyncClient.upload."""
        return self._loop.run(
            self._client.upload(
                conversation_id,
                source,
                filename,
                mime_type,
                upload_id=upload_id,
                direct=direct,
                on_upload=on_upload,
                on_progress=on_progress,
            )
        )

    def get_upload(self, upload_id: str) -> Upload:
        """See AsyncClient.get_upload."""
        return self._loop.run(self._client.get_upload(upload_id))

    def cancel_upload(self, upload_id: str) -> None:
        """See AsyncClient.cancel_upload."""
        self._loop.run(self._client.cancel_upload(upload_id))

    def download(
        self, file_id: str, target: str | os.PathLike[str] | BinaryIO, *, on_progress: OnProgress | None = None
    ) -> File:
        """See AsyncClient.download."""
        return self._loop.run(self._client.download(file_id, target, on_progress=on_progress))

    def download_chunks(
        self, file_id: str, *, offset: int = 0, limit: int | None = None
    ) -> Generator[bytes, None, None]:
        """See AsyncClient.download_chunks."""
        chunks = self._client.download_chunks(file_id, offset=offset, limit=limit)
        try:
            while (chunk := self._loop.run(_next(chunks))) is not None:
                yield chunk
        finally:
            self._loop.run(chunks.aclose())

    def get_file(self, file_id: str) -> File:
        """See AsyncClient.get_file."""
        return self._loop.run(self._client.get_file(file_id))

    def list_files(self, conversation_id: str, page_size: int = 50, page_token: str = "") -> Page[File]:
        """See AsyncClient.list_files."""
        return self._loop.run(self._client.list_files(conversation_id, page_size, page_token))

    def files(self, conversation_id: str, page_size: int = 100) -> Iterator[File]:
        """See AsyncClient.files."""
        return sync_items_of_pages(lambda token: self.list_files(conversation_id, page_size, token))

    def delete_file(self, file_id: str) -> None:
        """See AsyncClient.delete_file."""
        self._loop.run(self._client.delete_file(file_id))

    def get_download_url(self, file_id: str) -> DownloadUrl:
        """See AsyncClient.get_download_url."""
        return self._loop.run(self._client.get_download_url(file_id))


async def _next(chunks: AsyncIterator[bytes]) -> bytes | None:
    # StopAsyncIteration can't leave a coroutine.
    return await anext(chunks, None)
