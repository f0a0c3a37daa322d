"""Use case: upload a file in one go."""

from collections.abc import AsyncIterator

import structlog

from chat4all_core.app.create_upload import CreateUpload, NewFile
from chat4all_core.app.uninterrupted import uninterrupted
from chat4all_core.app.watch_upload import CancelUpload
from chat4all_core.app.write_upload import Chunk, Write, WriteUpload
from chat4all_core.domain.errors import RefusedError
from chat4all_core.domain.file import File
from chat4all_core.domain.ids import UploadId, UserId
from chat4all_core.domain.upload import upload_incomplete

_log = structlog.get_logger(__name__)


class UploadFile:
    """An upload that nobody can go on with: it succeeds at once, or nothing of it is kept."""

    def __init__(self, *, create: CreateUpload, write: WriteUpload, cancel: CancelUpload) -> None:
        self._create = create
        self._write = write
        self._cancel = cancel

    async def __call__(self, caller: UserId, new: NewFile, chunks: AsyncIterator[Chunk]) -> File:
        """The file, AVAILABLE. Raises as CreateUpload and WriteUpload do, and UPLOAD_INCOMPLETE when the stream ends
        before its declared size, or without `finish` where none was declared."""
        upload, _ = await self._create(caller, new)
        try:
            upload, file = await self._write(caller, Write(upload.upload_id, 0), chunks)
            if file is None:
                raise upload_incomplete(upload.committed_size, upload.declared_size)
        except BaseException:
            await uninterrupted(self._give_up(caller, upload.upload_id))
            raise
        return file

    async def _give_up(self, caller: UserId, upload_id: UploadId) -> None:
        try:
            await self._cancel(caller, upload_id)
        except RefusedError as error:  # it closed itself, or expires
            _log.info("upload_not_cancelled", upload_id=upload_id, reason=error.reason)
