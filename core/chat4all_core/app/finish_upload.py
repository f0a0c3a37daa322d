"""Use case: make a file of an upload whose bytes are all there."""

import asyncio
from dataclasses import replace

from chat4all_core.app.require_upload import file_of
from chat4all_core.domain.errors import FailedPreconditionError, Reason
from chat4all_core.domain.file import File, FileState
from chat4all_core.domain.mime_type import resolve_mime_type
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.upload import UPLOAD_LIFETIME, Upload, UploadState, taken_over, upload_closed
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.content_hash import ContentHasher
from chat4all_core.ports.file_store import FileStore
from chat4all_core.ports.object_store import ObjectStore, StoreUpload
from chat4all_core.ports.type_detector import SAMPLE_BYTES, TypeDetector


class FinishUpload:
    """Completes the object, checks it, then makes its file AVAILABLE. It may be cut anywhere and done again."""

    def __init__(
        self,
        *,
        files: FileStore,
        objects: ObjectStore,
        hasher: ContentHasher,
        detect_type: TypeDetector,
        clock: Clock,
    ) -> None:
        self._files = files
        self._objects = objects
        self._hasher = hasher
        self._detect_type = detect_type
        self._clock = clock

    async def __call__(self, upload: Upload, sha256: str | None, *, verify: bool = True) -> File:
        """The file.

        Args:
            upload: held by the caller; sealed, or with every part recorded.
            sha256: of all bytes; None when nobody has computed it yet.
            verify: whether to compute it then, by reading everything back; otherwise the declared one is believed.

        Raises:
            AbortedError: UPLOAD_TAKEN_OVER.
            FailedPreconditionError: SHA256_MISMATCH, MIME_TYPE_MISMATCH (the upload is closed), UPLOAD_CLOSED.
            UnavailableError: an engine can't be had now.
        """
        file = await file_of(self._files, upload)
        if sha256 is not None:
            await self._check_sum(upload, sha256)
        size = upload.committed_size
        made = StoreUpload(file.object_key, upload.store_upload, upload.part_size)
        await self._objects.complete(made, await self._files.parts(upload.upload_id), size)
        if sha256 is None and verify:
            sha256 = await self._sum_of(file.object_key, size)
            await self._check_sum(upload, sha256)
        finished = replace(
            file,
            state=FileState.AVAILABLE,
            size=size,
            mime_type=await self._type_of(upload, file, size),
            sha256=sha256 or upload.declared_sha256,
            sha256_verified=sha256 is not None,
        )
        return await self._record(upload, finished)

    async def _record(self, upload: Upload, finished: File) -> File:
        forget_at = Timestamp(self._clock() + UPLOAD_LIFETIME)
        if await self._files.finish(upload.upload_id, upload.epoch, finished, forget_at):
            return finished
        now = await self._files.get_upload(upload.upload_id)
        if now is not None and now.state is UploadState.FINISHED:
            return await file_of(self._files, now)
        if now is not None and now.state is UploadState.OPEN:
            raise taken_over(upload.upload_id)
        raise upload_closed(upload.upload_id)

    async def _check_sum(self, upload: Upload, sha256: str) -> None:
        if upload.declared_sha256 in ("", sha256):
            return
        await self._files.close(upload.upload_id, upload.epoch)
        raise FailedPreconditionError(
            Reason.SHA256_MISMATCH, "the bytes have another SHA-256 than was declared", {"sha256": sha256}
        )

    async def _type_of(self, upload: Upload, file: File, size: int) -> str:
        sample = b"".join([piece async for piece in self._objects.read(file.object_key, 0, min(size, SAMPLE_BYTES))])
        try:
            return resolve_mime_type(file.mime_type, self._detect_type(sample))
        except FailedPreconditionError:
            await self._files.close(upload.upload_id, upload.epoch)
            raise

    async def _sum_of(self, key: str, size: int) -> str:
        content_hash = self._hasher.new()
        async for piece in self._objects.read(key, 0, size):
            await asyncio.to_thread(content_hash.update, piece)
        return content_hash.hexdigest()
