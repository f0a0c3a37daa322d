"""Objects in a bucket of a store that speaks S3."""

import asyncio
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TypeVar

from chat4all_core.adapters.s3.bucket import Bucket
from chat4all_core.adapters.s3.completion import Completion
from chat4all_core.adapters.s3.errors import S3RefusedError, UploadGoneError, translated_errors
from chat4all_core.adapters.s3.layout import segment_name, tail_name, unfinished_key
from chat4all_core.adapters.s3.range_reader import RangeReader
from chat4all_core.adapters.s3.removal import Removal
from chat4all_core.adapters.s3.segment_uploads import SegmentUploads
from chat4all_core.adapters.s3.segments import Place, SegmentPlan
from chat4all_core.config import S3Section
from chat4all_core.domain.content_disposition import content_disposition
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.upload import Part
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.object_store import Leftover, ObjectContradictionError, StoreUpload

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_PAGE = 1_000


class S3ObjectStore:
    """Implements ObjectStore. The client blocks, so requests are made in threads, so many at a time; they hold no
    bytes but those that the caller gave, or two pieces of each reader. Nothing is tried again here, but for a request
    whose connection broke."""

    def __init__(self, section: S3Section, clock: Clock, plan: SegmentPlan | None = None) -> None:
        """Connects to nothing yet."""
        plan = plan or SegmentPlan()
        self._bucket = Bucket(section)
        self._clock = clock
        self._plan = plan
        self._segment_uploads = SegmentUploads(self._bucket)
        self._completion = Completion(self._bucket, plan, self._segment_uploads)
        self._removal = Removal(self._bucket)
        self._threads = ThreadPoolExecutor(section.max_requests, thread_name_prefix="s3")

    async def check(self) -> None:
        """See that the bucket is there.

        Raises:
            UnavailableError: the store can't be reached.
            S3RefusedError: there is no such bucket, or the account may not use it.
        """
        if not await self._run(self._bucket.exists):
            raise S3RefusedError(f"there is no bucket {self._bucket.name}")

    async def aclose(self) -> None:
        """Finish what is under way."""
        await asyncio.to_thread(self._threads.shutdown)
        self._bucket.close()

    async def begin(self, key: str, part_size: int) -> str:
        """See ObjectStore.begin."""
        return await self._run(lambda: self._bucket.create_upload(key))

    async def put_part(self, upload: StoreUpload, number: int, data: Sequence[bytes]) -> str:
        """See ObjectStore.put_part."""
        place = self._plan.place(number)

        def run() -> str:
            name, upload_id = self._upload_of(upload, place)
            return self._bucket.put_part(name, upload_id, place.number, data)

        return await self._run(run)

    async def put_tail(self, upload: StoreUpload, number: int, data: Sequence[bytes]) -> str:
        """See ObjectStore.put_tail."""
        tag = uuid.uuid4().hex
        name = tail_name(upload, number, tag)
        await self._run(lambda: self._bucket.put(name, data))
        try:
            # Afterwards: what comes after `abort` has looked for tails finds itself that the upload is gone.
            await self._run(lambda: self._bucket.require_upload(upload.key, upload.store_upload))
        except UploadGoneError:
            await self._run(lambda: self._bucket.remove(name))
            raise
        return tag

    async def read_tail(self, upload: StoreUpload, number: int, tag: str, size: int) -> bytes:
        """See ObjectStore.read_tail."""
        data = await self._run(lambda: self._bucket.get_all(tail_name(upload, number, tag)))
        if len(data) != size:
            raise ObjectContradictionError(f"the tail of {upload.key} has {len(data)} bytes, not {size}")
        return data

    async def drop_tail(self, upload: StoreUpload, number: int, tag: str) -> None:
        """See ObjectStore.drop_tail."""
        await self._run(lambda: self._bucket.remove(tail_name(upload, number, tag)))

    async def stored_parts(self, upload: StoreUpload) -> Mapping[int, Part]:
        """See ObjectStore.stored_parts."""

        def run() -> Mapping[int, Part]:
            places = {Place(0, p.part_number): p for p in self._bucket.parts(upload.key, upload.store_upload)}
            for segment, upload_id in self._segment_uploads.all(upload).items():
                parts = self._bucket.parts(segment_name(upload, segment), upload_id)
                places |= {Place(segment, p.part_number): p for p in parts}
            # The last numbers of the object's own upload are copies of segments.
            numbers = {self._plan.number(place): part for place, part in places.items() if self._is_part(place)}
            return {number: Part(number, part.size or 0, part.etag) for number, part in numbers.items()}

        return await self._run(run)

    async def complete(self, upload: StoreUpload, parts: Sequence[Part], size: int) -> None:
        """See ObjectStore.complete."""
        if sum(part.size for part in parts) != size:
            raise ObjectContradictionError(f"the parts of {upload.key} do not make up {size} bytes")
        await self._run(lambda: self._completion.run(upload, parts, size))
        if len(parts) > self._plan.direct_parts:  # else there are only tails, if anything, and `leftovers` finds them
            await self._run(lambda: self._removal.remains(upload))

    async def abort(self, upload: StoreUpload) -> None:
        """See ObjectStore.abort."""
        await self._run(lambda: self._removal.upload(upload))

    async def delete(self, key: str) -> None:
        """See ObjectStore.delete."""
        await self._run(lambda: self._bucket.remove(key))

    async def read(self, key: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """See ObjectStore.read."""
        if start == end:
            size = await self._run(lambda: self._bucket.size_of(key))
            if end > size:
                raise ObjectContradictionError(f"{key} has {size} bytes, not {end}")
            return
        reader = RangeReader(self._bucket, key, start, end)
        coming = self._begin(reader.read)
        try:
            while piece := await coming:
                coming = self._begin(reader.read)
                yield piece
        finally:
            if not coming.cancel() and not coming.cancelled():
                coming.exception()  # nobody else asks for it
            # Not awaited: a thread may still read, when whoever waited for it was cancelled.
            self._threads.submit(reader.close)

    async def presign_part(self, upload: StoreUpload, number: int, size: int, lifetime: int) -> str:
        """See ObjectStore.presign_part."""
        place = self._plan.place(number)
        name, upload_id = upload.key, upload.store_upload
        if place.segment:
            name, upload_id = await self._run(lambda: self._upload_of(upload, place))
        return self._bucket.presign_part(name, upload_id, place.number, size, self._now(), lifetime)

    async def presign_get(self, key: str, filename: str, mime_type: str, lifetime: int) -> str:
        """See ObjectStore.presign_get."""
        headers = {"Content-Type": mime_type, "Content-Disposition": content_disposition(filename)}
        return self._bucket.presign_get(key, headers, self._now(), lifetime)

    async def leftovers(self) -> AsyncIterator[Leftover]:
        """See ObjectStore.leftovers."""
        async for item in self._pages(self._bucket.objects()):
            name = item.object_name or ""
            key = unfinished_key(name)
            yield Leftover(key or name, key is None, _timestamp(item.last_modified))
        async for begun in self._pages(self._bucket.uploads()):
            key = unfinished_key(begun.object_name) or begun.object_name
            yield Leftover(key, False, _timestamp(begun.initiated_time))

    async def remove_unfinished(self, key: str) -> None:
        """See ObjectStore.remove_unfinished."""
        await self._run(lambda: self._removal.unfinished(key))

    def _upload_of(self, upload: StoreUpload, place: Place) -> tuple[str, str]:
        if not place.segment:
            return upload.key, upload.store_upload
        return segment_name(upload, place.segment), self._segment_uploads.get_or_begin(upload, place.segment)

    def _is_part(self, place: Place) -> bool:
        return bool(place.segment) or place.number <= self._plan.direct_parts

    async def _pages(self, items: Iterator[T]) -> AsyncIterator[T]:
        while page := await self._run(lambda: list(islice(items, _PAGE))):
            for item in page:
                yield item

    async def _run(self, work: Callable[[], T]) -> T:
        return await self._begin(work)

    def _begin(self, work: Callable[[], T]) -> asyncio.Future[T]:
        def translated() -> T:
            with translated_errors():
                return work()

        return asyncio.get_running_loop().run_in_executor(self._threads, translated)

    def _now(self) -> datetime:
        return _EPOCH + self._clock() * _MICROSECOND


def _timestamp(at: datetime | None) -> Timestamp:
    return Timestamp(0 if at is None else (at - _EPOCH) // _MICROSECOND)
