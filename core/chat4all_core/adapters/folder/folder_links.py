"""What the folder's URLs lead to."""

import os
from collections.abc import AsyncIterator
from functools import partial

from chat4all_core.adapters.folder.files import append_line, write_pieces
from chat4all_core.adapters.folder.folder_object_store import FolderObjectStore
from chat4all_core.adapters.folder.link import DownloadLink, Link, LinkSigner, PartLink
from chat4all_core.domain.errors import (
    FailedPreconditionError,
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    Reason,
)
from chat4all_core.domain.upload import size_exceeded
from chat4all_core.ports.linked_store import LinkedObject
from chat4all_core.ports.object_store import ObjectContradictionError, StoreUpload

_GATHER = 1 << 20  # bytes written at once


class FolderLinks:
    """Implements LinkedStore."""

    def __init__(self, store: FolderObjectStore, signer: LinkSigner) -> None:
        self._store = store
        self._signer = signer

    async def open_link(self, token: str) -> LinkedObject:
        """See LinkedStore.open_link."""
        link = self._signer.open(token)
        if not isinstance(link, DownloadLink):
            raise _wrong_use()
        path = self._store.layout.object(link.key)
        try:
            size = await self._store.run(lambda: path.stat().st_size)
        except ObjectContradictionError:
            raise NotFoundError(Reason.FILE_NOT_FOUND, "the file was deleted") from None
        return LinkedObject(link.key, size, link.filename, link.mime_type)

    async def receive_part(self, token: str, length: int | None, chunks: AsyncIterator[bytes]) -> None:
        """See LinkedStore.receive_part."""
        link = self._signer.open(token)
        if not isinstance(link, PartLink):
            raise _wrong_use()
        if length is not None and length != link.size:
            raise _wrong_size(link, length)
        upload = StoreUpload(link.key, link.store_upload, link.part_size)
        try:
            with self._store.receiving(upload):
                await self._receive(link, upload, chunks)
        except ObjectContradictionError:
            raise FailedPreconditionError(Reason.UPLOAD_CLOSED, "the upload is over") from None

    async def _receive(self, link: PartLink, upload: StoreUpload, chunks: AsyncIterator[bytes]) -> None:
        path = self._store.layout.content(upload)
        descriptor = await self._store.run(lambda: os.open(path, os.O_WRONLY))
        try:
            await self._write(link, descriptor, chunks)
            await self._store.run(lambda: os.fdatasync(descriptor))
        finally:
            os.close(descriptor)
        await self._store.run(lambda: append_line(self._store.layout.parts(upload), f"{link.number} {link.size}"))

    async def _write(self, link: PartLink, descriptor: int, chunks: AsyncIterator[bytes]) -> None:
        start = (link.number - 1) * link.part_size
        written, pieces, gathered = 0, [], 0
        async for chunk in chunks:
            if written + gathered + len(chunk) > link.size:
                raise size_exceeded(link.size)
            pieces.append(chunk)
            gathered += len(chunk)
            if gathered >= _GATHER:
                await self._store.run(partial(write_pieces, descriptor, start + written, pieces, self._store.keep_free))
                written, pieces, gathered = written + gathered, [], 0
        await self._store.run(partial(write_pieces, descriptor, start + written, pieces, self._store.keep_free))
        if written + gathered != link.size:
            raise _wrong_size(link, written + gathered)


def _wrong_size(link: Link, length: int) -> InvalidArgumentError:
    size = link.size if isinstance(link, PartLink) else 0
    return InvalidArgumentError(f"the part has {size} bytes, and {length} came")


def _wrong_use() -> PermissionDeniedError:
    return PermissionDeniedError(Reason.LINK_INVALID, "the link is for something else")
