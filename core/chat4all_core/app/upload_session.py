"""One writer of one upload: takes its bytes, and stores them part by part."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog

from chat4all_core.app.create_upload import refusal
from chat4all_core.app.memory_budget import MemoryBudget
from chat4all_core.app.part_buffer import PartBuffer
from chat4all_core.app.uninterrupted import uninterrupted
from chat4all_core.domain.file import object_key
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.domain.upload import UPLOAD_LIFETIME, Part, Progress, Upload, taken_over
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.content_hash import ContentHash, ContentHasher
from chat4all_core.ports.file_store import Admission, FileStore, Quota
from chat4all_core.ports.object_store import ObjectStore, StoreUpload

_log = structlog.get_logger(__name__)

KEEP_AFTER = 10 * SECOND
"""Bytes that come slowly are committed this long after the last commit, before their part is full."""

HOLD_AT_MOST = 10 * SECOND
"""A part that has not filled after this long gives its memory back, if others wait for it."""


class UploadSession:
    """Two parts at most are in memory: one that fills while the other is stored. Bytes count as committed once the
    store has them durably, and the record says so.

    `write` may be cancelled at any moment, and `settle` or `seal` called then: what was written is not lost. After any
    other error all but `close` is refused.
    """

    def __init__(
        self,
        upload: Upload,
        *,
        files: FileStore,
        objects: ObjectStore,
        hasher: ContentHasher,
        budget: MemoryBudget,
        clock: Clock,
        quota: Quota,
    ) -> None:
        """`upload`: as `FileStore.take` gave it."""
        self.upload = upload
        """As it is recorded."""
        self.store_upload = StoreUpload(object_key(upload.file_id), upload.store_upload, upload.part_size)
        self._files = files
        self._objects = objects
        self._budget = budget
        self._clock = clock
        self._quota = quota
        self._hash = hasher.resume(upload.hash_state) if upload.committed_size else hasher.new()
        self._buffer: PartBuffer | None = None
        self._taken = 0
        self._taken_at = self._committed_at = clock()
        self._turn = asyncio.Lock()
        self._storing: asyncio.Task[None] | None = None
        self.position = upload.committed_size
        """Where the next byte belongs: the committed size and what is in memory."""

    @property
    def sha256(self) -> str | None:
        """Of the committed bytes; None when they would have to be read again."""
        return None if self._hash is None else self._hash.hexdigest()

    async def write(self, data: bytes) -> None:
        """Take bytes; waits for the store when it is slower than they come. They belong at `position`.

        Raises:
            AbortedError: UPLOAD_TAKEN_OVER.
            QuotaExceededError: QUOTA_EXCEEDED.
            UnavailableError: an engine can't take them now.
        """
        async with self._turn:
            rest = memoryview(data)
            while rest:
                buffer = self._buffer or await self._new_buffer()
                room = self.upload.part_size - buffer.size
                taken = data if len(rest) == len(data) <= room else rest[:room]
                buffer.append(taken)
                self.position += len(taken)
                rest = rest[len(taken) :]
                is_full = buffer.size == self.upload.part_size
                del buffer  # or it would lie here, uncounted, until there is memory for the next one
                if is_full:
                    await self._hand_over()
            if self._clock() - self._committed_at > KEEP_AFTER:
                await uninterrupted(self._settle())

    async def settle(self) -> None:
        """Commit all that was written. Not to be cancelled; raises as `write`."""
        async with self._turn:
            await self._settle()

    async def make_room(self) -> None:
        """Commit what was written, and let go of its memory, if others wait for that and the part fills slowly. May be
        called while `write` is under way. Not to be cancelled; raises as `write`."""
        async with self._turn:
            held = self._buffer is not None and self._clock() - self._taken_at > HOLD_AT_MOST
            if held and self._budget.is_wanted:
                await self._settle()
                self._let_go()

    async def _settle(self) -> None:
        await self._hand_over_if_full()
        if self._buffer is None or not self._buffer.has_news:
            return
        number = self.upload.parts + 1
        tag, _ = await asyncio.gather(
            self._objects.put_tail(self.store_upload, number, self._buffer.all()), self._add_to_hash(self._buffer)
        )
        await self._commit(self._progress(self.upload.parts, self._buffer.size, tag))
        self._buffer.keep()

    async def seal(self) -> None:
        """Commit all that was written as the whole; the last of all calls. Not to be cancelled; raises as `write`."""
        await self._hand_over_if_full()
        buffer = self._buffer
        if buffer is None and self.upload.tail_tag:
            buffer = await self._new_buffer()
        if buffer is None or not buffer.size:
            if self.upload.declared_size is None:
                await self._commit(self._progress(self.upload.parts, 0, "", sealed=True))
            return
        number = self.upload.parts + 1
        tag, _ = await asyncio.gather(
            self._objects.put_part(self.store_upload, number, buffer.all()), self._add_to_hash(buffer)
        )
        last = Part(number, buffer.size, tag)
        await self._commit(self._progress(self.upload.parts, buffer.size, "", last, sealed=True))

    async def close(self) -> None:
        """Let go of everything; what is being stored is waited for."""
        if self._storing is not None:
            await asyncio.wait([self._storing])
            if not self._storing.cancelled():
                self._storing.exception()  # was raised already, or does not matter any more
        self._let_go()

    def _let_go(self) -> None:
        self._budget.give(self._taken)
        self._taken = 0
        self._buffer = None

    async def _new_buffer(self) -> PartBuffer:
        upload = self.upload
        self._taken = await self._budget.take(min(upload.part_size, upload.max_size - upload.parts * upload.part_size))
        self._taken_at = self._clock()
        tail = b""
        # Otherwise it is that of the part before, which is being stored.
        if upload.tail_size and self.position == upload.committed_size:
            tail = await self._read_tail()
        self._buffer = PartBuffer(tail)
        return self._buffer

    async def _read_tail(self) -> bytes:
        upload = self.upload
        try:
            return await self._objects.read_tail(self.store_upload, upload.parts + 1, upload.tail_tag, upload.tail_size)
        except BaseException:
            self._let_go()
            raise

    async def _hand_over(self) -> None:
        """Have the full buffer stored, once the one before it is."""
        await self._stored()
        buffer, taken = self._buffer, self._taken
        assert buffer is not None
        self._buffer, self._taken = None, 0
        self._storing = asyncio.create_task(self._store(buffer, taken))

    async def _hand_over_if_full(self) -> None:
        """Have everything stored that makes up whole parts: `write` may have been cancelled just before."""
        if self._buffer is not None and self._buffer.size == self.upload.part_size:
            await self._hand_over()
        await self._stored()

    async def _stored(self) -> None:
        """Wait for what is being stored."""
        if self._storing is not None:
            await asyncio.shield(self._storing)

    async def _store(self, buffer: PartBuffer, taken: int) -> None:
        try:
            number = self.upload.parts + 1
            tag, _ = await asyncio.gather(
                self._objects.put_part(self.store_upload, number, buffer.all()), self._add_to_hash(buffer)
            )
            await self._commit(self._progress(number, 0, "", Part(number, buffer.size, tag)))
        finally:
            self._budget.give(taken)

    async def _add_to_hash(self, buffer: PartBuffer) -> None:
        if self._hash is not None:
            await asyncio.to_thread(_update, self._hash, buffer.news())

    def _progress(self, parts: int, tail_size: int, tag: str, *new: Part, sealed: bool = False) -> Progress:
        state = b"" if self._hash is None else self._hash.state()
        return Progress(parts, tail_size, tag, state, new, sealed)

    async def _commit(self, progress: Progress) -> None:
        before = self.upload
        self._committed_at = self._clock()
        expires_at = Timestamp(self._committed_at + UPLOAD_LIFETIME)
        admission = await self._files.commit(before.upload_id, before.epoch, progress, expires_at, self._quota)
        if admission is Admission.LOST:
            raise taken_over(before.upload_id)
        if admission is not Admission.ADMITTED:
            raise refusal(admission, self._quota)
        after = replace(
            before,
            parts=progress.parts,
            tail_size=progress.tail_size,
            tail_tag=progress.tail_tag,
            hash_state=progress.hash_state,
            expires_at=expires_at,
        )
        self.upload = replace(after, declared_size=after.committed_size) if progress.sealed else after
        if before.tail_tag:
            await self._drop_tail(before)

    async def _drop_tail(self, before: Upload) -> None:
        try:
            await self._objects.drop_tail(self.store_upload, before.parts + 1, before.tail_tag)
        except Exception as error:  # it goes with the upload
            _log.warning("tail_not_dropped", upload_id=before.upload_id, error=str(error))


def _update(content_hash: ContentHash, pieces: Sequence[bytes]) -> None:
    for piece in pieces:
        content_hash.update(piece)
