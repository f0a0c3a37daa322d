"""One writer of one upload: takes its bytes, and stores them part by part."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import structlog

from chat4all_core.app.create_upload import refusal
from chat4all_core.app.file_policy import FilePolicy
from chat4all_core.app.in_order import InOrder
from chat4all_core.app.memory_budget import MemoryBudget
from chat4all_core.app.part_buffer import PartBuffer
from chat4all_core.app.patience import patiently
from chat4all_core.app.running_sum import RunningSum
from chat4all_core.app.uninterrupted import uninterrupted
from chat4all_core.domain.errors import QuotaExceededError
from chat4all_core.domain.file import object_key
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.domain.upload import UPLOAD_LIFETIME, Part, Progress, Upload, taken_over
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.content_hash import ContentHasher
from chat4all_core.ports.file_store import Admission, FileStore
from chat4all_core.ports.object_store import ObjectStore, StoreUpload

_log = structlog.get_logger(__name__)

KEEP_AFTER = 10 * SECOND
"""Bytes that come slowly are committed this long after the last commit, before their part is full."""

HOLD_AT_MOST = 10 * SECOND
"""A part that has not filled after this long gives its memory back, if others wait for it."""

AT_ONCE = 3
"""Full parts of one upload that are not recorded yet."""

RECORDED_TOGETHER = 2
"""Parts that are stored side by side are recorded as one: a record costs more than a quarter of what a part does."""


class UploadSession:
    """One part fills, and gives way to the next one, while others are stored side by side, as far as the memory budget
    allows. Bytes count as committed once the store has them and all before them durably, and the record says so.

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
        policy: FilePolicy,
    ) -> None:
        """`upload`: as `FileStore.take` gave it."""
        self.upload = upload
        """As it is recorded."""
        self.store_upload = StoreUpload(object_key(upload.file_id), upload.store_upload, upload.part_size)
        self._files = files
        self._objects = objects
        self._budget = budget
        self._clock = clock
        self._policy = policy
        self._sum = RunningSum(hasher.resume(upload.hash_state) if upload.committed_size else hasher.new())
        self._buffer: PartBuffer | None = None
        self._taken = 0
        self._taken_at = self._committed_at = clock()
        self._turn = asyncio.Lock()
        self._storing = InOrder(AT_ONCE, RECORDED_TOGETHER, self._commit_parts)
        self.position = upload.committed_size
        """Where the next byte belongs: the committed size and what is in memory."""

    @property
    def sha256(self) -> str | None:
        """Of the committed bytes; None when they would have to be read again."""
        return self._sum.hexdigest

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
        await self._store_full_parts()
        if self._buffer is None or not self._buffer.has_news:
            return
        tag, state = await asyncio.gather(self._put_tail(self._buffer), self._sum.add(self._buffer.news()))
        await self._commit(Progress(self.upload.parts, self._buffer.size, tag, state, ()))
        self._buffer.keep()

    async def seal(self) -> None:
        """Commit all that was written as the whole; the last of all calls. Not to be cancelled; raises as `write`."""
        await self._store_full_parts()
        buffer, parts = self._buffer, self.upload.parts
        if buffer is None and self.upload.tail_tag:
            buffer = await self._new_buffer()
        if buffer is None or not buffer.size:
            if self.upload.declared_size is None:
                await self._commit(Progress(parts, 0, "", self._sum.state(), (), sealed=True))
            return
        last, state = await asyncio.gather(self._put_part(parts + 1, buffer), self._sum.add(buffer.news()))
        await self._commit(Progress(parts, buffer.size, "", state, (last,), sealed=True))

    async def close(self) -> None:
        """Let go of everything; what is being stored is waited for."""
        await self._storing.close()
        self._let_go()

    def _let_go(self) -> None:
        self._budget.give(self._taken)
        self._taken = 0
        self._buffer = None

    async def _new_buffer(self) -> PartBuffer:
        upload = self.upload
        begin = self.position // upload.part_size * upload.part_size
        self._taken = await self._budget.take(min(upload.part_size, upload.max_size - begin))
        self._taken_at = self._clock()
        # Otherwise the tail is that of a part before, which is being stored.
        has_tail = upload.tail_size and self.position == upload.committed_size
        self._buffer = PartBuffer(await self._read_tail() if has_tail else b"")
        return self._buffer

    async def _read_tail(self) -> bytes:
        upload = self.upload
        try:
            return await patiently(
                lambda: self._objects.read_tail(self.store_upload, upload.parts + 1, upload.tail_tag, upload.tail_size),
                self._policy.patience_seconds,
            )
        except BaseException:
            self._let_go()
            raise

    async def _hand_over(self) -> None:
        """Have the full buffer stored, as soon as there is room for it among those that are."""
        await self._storing.room()
        buffer, taken = self._buffer, self._taken
        assert buffer is not None
        self._buffer, self._taken = None, 0
        self._storing.add(self._store(self.position // self.upload.part_size, buffer, taken))

    async def _store_full_parts(self) -> None:
        """Store and commit everything that makes up whole parts: `write` may have been cancelled just before."""
        if self._buffer is not None and self._buffer.size == self.upload.part_size:
            await self._hand_over()
        await self._storing.recorded()

    async def _store(self, number: int, buffer: PartBuffer, taken: int) -> Progress:
        """Store a full part; what is to be recorded, once all before it is."""
        try:
            part, state = await asyncio.gather(self._put_part(number, buffer), self._sum.add(buffer.news()))
        finally:
            self._budget.give(taken)
        return Progress(number, 0, "", state, (part,))

    async def _put_part(self, number: int, buffer: PartBuffer) -> Part:
        tag = await patiently(
            lambda: self._objects.put_part(self.store_upload, number, buffer.all()), self._policy.patience_seconds
        )
        return Part(number, buffer.size, tag)

    async def _put_tail(self, buffer: PartBuffer) -> str:
        return await patiently(
            lambda: self._objects.put_tail(self.store_upload, self.upload.parts + 1, buffer.all()),
            self._policy.patience_seconds,
        )

    async def _commit_parts(self, stored: Sequence[Progress]) -> None:
        parts = [part for progress in stored for part in progress.new_parts]
        try:
            await self._commit(replace(stored[-1], new_parts=parts))
        except QuotaExceededError:  # the first ones may fit
            for progress in stored[:-1]:
                await self._commit(progress)
            raise

    async def _commit(self, progress: Progress) -> None:
        before = self.upload
        self._committed_at = self._clock()
        expires_at = Timestamp(self._committed_at + UPLOAD_LIFETIME)
        admission = await self._files.commit(before.upload_id, before.epoch, progress, expires_at, self._policy.quota)
        if admission is Admission.LOST:
            raise taken_over(before.upload_id)
        if admission is not Admission.ADMITTED:
            raise refusal(admission, self._policy.quota)
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
