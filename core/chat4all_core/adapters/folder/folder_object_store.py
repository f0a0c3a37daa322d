"""Objects as files of one folder, used by one process at a time."""

import asyncio
import os
import shutil
import uuid
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from chat4all_core.adapters.folder.files import make_folders, sync_folder, translated_errors, truncate, write_at
from chat4all_core.adapters.folder.layout import Layout, key_of
from chat4all_core.adapters.folder.link import DownloadLink, LinkSigner, PartLink
from chat4all_core.domain.errors import Reason, UnavailableError
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.domain.upload import Part
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.linked_store import PATH
from chat4all_core.ports.object_store import Leftover, ObjectContradictionError, StoreUpload

T = TypeVar("T")

_PIECE = 1 << 20
_THREADS = 8
_RETRY_AFTER = 1.0


class FolderObjectStore:
    """Implements ObjectStore. An upload is one file, in which every part and the tail are written at their place; when
    it is complete the file is renamed. So nothing is copied, and a tail needs no object of its own."""

    def __init__(self, root: Path, signer: LinkSigner, clock: Clock, base_url: str, keep_free: int = 0) -> None:
        """`base_url`: where clients reach the platform, such as http://localhost:8080. `keep_free`: bytes of the disk
        that no file may take."""
        self.layout = Layout(root)
        self.keep_free = keep_free
        self._signer = signer
        self._clock = clock
        self._base_url = base_url.rstrip("/")
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="folder")
        self._receiving: Counter[StoreUpload] = Counter()
        self._completing: set[StoreUpload] = set()

    @classmethod
    async def open(cls, root: Path, signer: LinkSigner, clock: Clock, base_url: str, keep_free: int = 0) -> Self:
        """Open a folder, making it if need be."""
        store = cls(root, signer, clock, base_url, keep_free)
        for folder in (store.layout.objects, store.layout.uploads):
            await store.run(partial(make_folders, folder))
        return store

    async def aclose(self) -> None:
        """Finish what is under way."""
        await asyncio.to_thread(self._threads.shutdown)

    async def begin(self, key: str, part_size: int) -> str:
        """See ObjectStore.begin."""
        upload = StoreUpload(key, uuid.uuid4().hex, part_size)

        def run() -> None:
            make_folders(self.layout.upload(upload))
            self.layout.content(upload).touch(mode=0o600)
            sync_folder(self.layout.upload(upload))

        await self.run(run)
        return upload.store_upload

    async def put_part(self, upload: StoreUpload, number: int, data: Sequence[bytes]) -> str:
        """See ObjectStore.put_part. There are no tags: writers of one process wait for each other."""
        await self._write(upload, number, data)
        return ""

    async def put_tail(self, upload: StoreUpload, number: int, data: Sequence[bytes]) -> str:
        """See ObjectStore.put_tail."""
        await self._write(upload, number, data)
        return "in place"

    async def read_tail(self, upload: StoreUpload, number: int, tag: str, size: int) -> bytes:
        """See ObjectStore.read_tail."""
        offset = (number - 1) * upload.part_size

        def run() -> bytes:
            with self.layout.content(upload).open("rb") as file:
                return os.pread(file.fileno(), size, offset)

        data = await self.run(run)
        if len(data) != size:
            raise ObjectContradictionError(f"the tail of {upload.key} has {len(data)} bytes, not {size}")
        return data

    async def drop_tail(self, upload: StoreUpload, number: int, tag: str) -> None:
        """See ObjectStore.drop_tail: the part has been written over it."""

    async def stored_parts(self, upload: StoreUpload) -> Mapping[int, Part]:
        """See ObjectStore.stored_parts."""

        def run() -> Mapping[int, Part]:
            self.layout.content(upload).stat()
            try:
                lines = self.layout.parts(upload).read_text().splitlines()
            except FileNotFoundError:
                return {}
            numbers = (tuple(map(int, line.split())) for line in lines)
            return {number: Part(number, size, "") for number, size in numbers}

        return await self.run(run)

    async def complete(self, upload: StoreUpload, parts: Sequence[Part], size: int) -> None:
        """See ObjectStore.complete."""
        if sum(part.size for part in parts) != size:
            raise ObjectContradictionError(f"the parts of {upload.key} do not make up {size} bytes")
        if self._receiving[upload]:
            raise UnavailableError(Reason.UNAVAILABLE, "a part is still arriving", _RETRY_AFTER)
        self._completing.add(upload)
        try:
            await self.run(partial(self._complete, upload, size))
        finally:
            self._completing.discard(upload)

    async def abort(self, upload: StoreUpload) -> None:
        """See ObjectStore.abort."""
        await self.run(lambda: self._remove_upload(upload))

    async def delete(self, key: str) -> None:
        """See ObjectStore.delete."""

        def run() -> None:
            path = self.layout.object(key)
            with suppress(FileNotFoundError):
                path.unlink()
                sync_folder(path.parent)

        await self.run(run)

    async def read(self, key: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """See ObjectStore.read."""
        descriptor = await self.run(lambda: os.open(self.layout.object(key), os.O_RDONLY))
        try:
            while start < end:
                piece = await self.run(partial(os.pread, descriptor, min(_PIECE, end - start), start))
                if not piece:
                    raise ObjectContradictionError(f"{key} ends at {start}, before {end}")
                start += len(piece)
                yield piece
        finally:
            os.close(descriptor)

    async def presign_part(self, upload: StoreUpload, number: int, size: int, lifetime: int) -> str:
        """See ObjectStore.presign_part."""
        link = PartLink(upload.key, upload.store_upload, upload.part_size, number, size)
        return self._url(self._signer.seal(link, self._in(lifetime)))

    async def presign_get(self, key: str, filename: str, mime_type: str, lifetime: int) -> str:
        """See ObjectStore.presign_get."""
        return self._url(self._signer.seal(DownloadLink(key, filename, mime_type), self._in(lifetime)))

    async def leftovers(self) -> AsyncIterator[Leftover]:
        """See ObjectStore.leftovers."""
        shards = await self.run(lambda: sorted(self.layout.objects.iterdir()))
        for folder, finished in ((self.layout.uploads, False), *((shard, True) for shard in shards)):
            for leftover in await self.run(partial(_scan, folder, finished)):
                yield leftover

    async def remove_unfinished(self, key: str) -> None:
        """See ObjectStore.remove_unfinished."""

        def run() -> None:
            shutil.rmtree(self.layout.uploads_of(key), ignore_errors=True)

        await self.run(run)

    @contextmanager
    def receiving(self, upload: StoreUpload) -> Iterator[None]:
        """Hold a file of an upload open within the context: it isn't completed meanwhile, for whoever has it open could
        write to it for ever.

        Raises:
            ObjectContradictionError: it is being completed.
        """
        if upload in self._completing:
            raise ObjectContradictionError(f"{upload.key} is being completed")
        self._receiving[upload] += 1
        try:
            yield
        finally:
            self._receiving[upload] -= 1
            if not self._receiving[upload]:
                del self._receiving[upload]

    async def run(self, work: Callable[[], T]) -> T:
        """Do blocking work in a thread of the store's; failures come out as the port's errors."""

        def translated() -> T:
            with translated_errors():
                return work()

        return await asyncio.get_running_loop().run_in_executor(self._threads, translated)

    async def _write(self, upload: StoreUpload, number: int, data: Sequence[bytes]) -> None:
        offset = (number - 1) * upload.part_size
        await self.run(lambda: write_at(self.layout.content(upload), offset, data, self.keep_free))

    def _complete(self, upload: StoreUpload, size: int) -> None:
        content, made = self.layout.content(upload), self.layout.object(upload.key)
        make_folders(made.parent)
        try:
            there = content.stat().st_size
            if there < size:
                raise ObjectContradictionError(f"{upload.key} has {there} bytes, not {size}")
            if there > size:  # a tail that was never committed
                truncate(content, size)
            os.rename(content, made)
        except FileNotFoundError:  # it was completed before, or in this moment
            if not made.exists() or made.stat().st_size != size:
                raise ObjectContradictionError(f"neither upload nor object {upload.key} is there") from None
        sync_folder(made.parent)
        self._remove_upload(upload)

    def _remove_upload(self, upload: StoreUpload) -> None:
        shutil.rmtree(self.layout.upload(upload), ignore_errors=True)
        with suppress(OSError):  # another upload of the key is there
            self.layout.uploads_of(upload.key).rmdir()

    def _in(self, seconds: int) -> Timestamp:
        return Timestamp(self._clock() + seconds * SECOND)

    def _url(self, token: str) -> str:
        return f"{self._base_url}{PATH}{token}"


def _scan(folder: Path, finished: bool) -> list[Leftover]:
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # it went meanwhile
                at = Timestamp(entry.stat().st_mtime_ns // 1_000)
                found.append(Leftover(key_of(entry.name), finished, at))
    return found
