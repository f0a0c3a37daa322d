"""Use case: write bytes of an upload."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass
from typing import Any

import google_crc32c

from chat4all_core.app.active_writers import ActiveWriters
from chat4all_core.app.file_policy import FilePolicy
from chat4all_core.app.finish_upload import FinishUpload
from chat4all_core.app.hand_over import HandOver
from chat4all_core.app.memory_budget import MemoryBudget
from chat4all_core.app.require_upload import file_of, read_upload, require_upload
from chat4all_core.app.uninterrupted import uninterrupted
from chat4all_core.app.upload_session import UploadSession
from chat4all_core.domain.errors import InvalidArgumentError, Reason, RefusedError, invalid_field
from chat4all_core.domain.file import File
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.upload import (
    UPLOAD_LIFETIME,
    Holding,
    Upload,
    UploadState,
    check_offset,
    check_size,
    offset_beyond,
    overlap,
    require_open,
    size_exceeded,
    taken_over,
    upload_closed,
    upload_incomplete,
    upload_is_direct,
)
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.content_hash import ContentHasher
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.file_store import FileStore
from chat4all_core.ports.object_store import ObjectContradictionError, ObjectStore

_TAKE_ATTEMPTS = 5
_ATTEND_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a stream."""

    data: bytes
    crc32c: int | None = None
    """Of the data, where the sender has computed it."""
    offset: int | None = None
    """Where it begins, where the sender says so; else where the one before it ended."""
    finish: bool = False
    """All bytes were sent before; it has none."""


@dataclass(frozen=True, slots=True)
class Write:
    """What a client says before it sends bytes."""

    upload_id: str
    offset: int
    total_size: int | None = None
    """Of the whole, for an upload that was begun without."""


class WriteUpload:
    """Takes streams. However one ends, what arrived is stored first and the outcome comes second."""

    def __init__(
        self,
        *,
        files: FileStore,
        conversations: ConversationStore,
        objects: ObjectStore,
        hasher: ContentHasher,
        finish: FinishUpload,
        writers: ActiveWriters,
        hand_over: HandOver,
        budget: MemoryBudget,
        clock: Clock,
        policy: FilePolicy,
    ) -> None:
        self._files = files
        self._conversations = conversations
        self._objects = objects
        self._hasher = hasher
        self._finish = finish
        self._writers = writers
        self._hand_over = hand_over
        self._budget = budget
        self._clock = clock
        self._policy = policy

    async def __call__(self, caller: UserId, write: Write, chunks: AsyncIterator[Chunk]) -> tuple[Upload, File | None]:
        """Where the upload stands at the end of the stream, and its file when that was made.

        Every refusal after the upload was taken names `committed_size` in its metadata. What `chunks` raises comes out
        again, for a cut is no end.

        Raises:
            NotFoundError: UPLOAD_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT, NOT_FILE_OWNER.
            InvalidArgumentError: the offset is negative, CHUNK_CORRUPT, SIZE_EXCEEDED.
            OutOfRangeError: OFFSET_BEYOND_COMMITTED.
            FailedPreconditionError: UPLOAD_CLOSED, UPLOAD_IS_DIRECT, UPLOAD_INCOMPLETE, SHA256_MISMATCH,
                MIME_TYPE_MISMATCH.
            AbortedError: UPLOAD_TAKEN_OVER.
            QuotaExceededError: QUOTA_EXCEEDED.
            UnavailableError: an engine can't be had now, or STORAGE_FULL.
        """
        known = await require_upload(self._files, self._conversations, write.upload_id, caller)
        async with self._writers.writing(known.upload_id) as stop:
            upload = await self._take(write)
            if upload.state is UploadState.FINISHED:
                return upload, await file_of(self._files, upload)
            session = UploadSession(
                upload,
                files=self._files,
                objects=self._objects,
                hasher=self._hasher,
                budget=self._budget,
                clock=self._clock,
                policy=self._policy,
            )
            file = await self._receive_and_keep(session, write.offset, chunks, stop)
            return session.upload, file

    async def _take(self, write: Write) -> Upload:
        for _ in range(_TAKE_ATTEMPTS):
            upload = await self._hand_over.given_up(await read_upload(self._files, write.upload_id))
            if upload.state is UploadState.FINISHED:
                return upload
            now = self._clock()
            require_open(upload, now)
            if upload.direct:
                raise upload_is_direct(upload.upload_id)
            check_offset(write.offset, upload.committed_size)
            taken = await self._files.take(
                upload.upload_id,
                upload.epoch,
                Timestamp(now + UPLOAD_LIFETIME),
                declared_size=self._declared_size(upload, write),
                direct=False,
            )
            if taken is not None:
                return taken
        raise taken_over(upload.upload_id)

    def _declared_size(self, upload: Upload, write: Write) -> int | None:
        total = check_size(write.total_size, self._policy.max_file_bytes, "total_size")
        if total is None:
            return upload.declared_size
        if upload.declared_size not in (None, total):
            raise invalid_field("total_size", f"the size was declared as {upload.declared_size}")
        if total < upload.committed_size:
            raise size_exceeded(total)
        return total

    async def _receive_and_keep(
        self, session: UploadSession, offset: int, chunks: AsyncIterator[Chunk], stop: asyncio.Event
    ) -> File | None:
        finish, cut = False, None
        try:
            finish = await self._until_stopped(self._receive(session, offset, chunks), session, stop)
        except BaseException as error:
            cut = error
        try:
            file = await uninterrupted(self._conclude(session, finish, cut))
            if cut is not None:
                raise cut
        except RefusedError as error:
            error.metadata.setdefault("committed_size", str(session.upload.committed_size))
            raise
        except ObjectContradictionError:
            await self._require_held(session.upload)
            raise
        return file

    async def _require_held(self, upload: Upload) -> None:
        """Refuse to go on when somebody has cancelled the upload, or finished it first."""
        now = await read_upload(self._files, upload.upload_id)
        if now.state in (UploadState.CLOSED, UploadState.CLEANED):
            raise upload_closed(upload.upload_id)
        if now.epoch != upload.epoch:
            raise taken_over(upload.upload_id)

    async def _until_stopped(
        self, receiving: Coroutine[Any, Any, bool], session: UploadSession, stop: asyncio.Event
    ) -> bool:
        """What receiving returns, or UPLOAD_TAKEN_OVER as soon as another writer wants the upload."""
        received, attending = asyncio.ensure_future(receiving), asyncio.ensure_future(self._attend(session))
        tasks = received, attending, asyncio.ensure_future(stop.wait())
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if received.done():
                return received.result()
            if attending.done():
                await attending
            raise taken_over(session.upload.upload_id)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _attend(self, session: UploadSession) -> None:
        """Return when a writer in another process wants the upload. Meanwhile, let a client that sends slowly, or
        nothing, hold no memory for long that others wait for."""
        while True:
            await asyncio.sleep(_ATTEND_SECONDS)
            await uninterrupted(session.make_room())
            if await self._hand_over.is_asked_for(session.upload):
                return

    async def _receive(self, session: UploadSession, offset: int, chunks: AsyncIterator[Chunk]) -> bool:
        """Write what comes, until the stream ends; whether it said that it was all."""
        finish = False
        async for chunk in chunks:
            if finish:
                raise invalid_field("finish", "must be in the last message")
            self._check(chunk, offset, session)
            finish = chunk.finish
            known = overlap(offset, len(chunk.data), session.position)
            offset += len(chunk.data)
            if known < len(chunk.data):
                await session.write(chunk.data[known:] if known else chunk.data)
        return finish

    def _check(self, chunk: Chunk, offset: int, session: UploadSession) -> None:
        if chunk.offset not in (None, offset):
            if chunk.offset is not None and chunk.offset < 0:
                raise invalid_field("offset", "must not be negative")
            raise offset_beyond(offset)
        if chunk.finish and chunk.data:
            raise invalid_field("finish", "must be in a message without bytes")
        if chunk.crc32c is not None and google_crc32c.value(chunk.data) != chunk.crc32c:
            raise InvalidArgumentError(
                f"the chunk at offset {offset} does not have its CRC-32C", reason=Reason.CHUNK_CORRUPT
            )
        max_size = min(session.upload.max_size, self._policy.max_file_bytes)
        if offset + len(chunk.data) > max_size:
            raise size_exceeded(max_size)

    async def _conclude(self, session: UploadSession, finish: bool, cut: BaseException | None) -> File | None:
        """Store what arrived; make the file when that was all."""
        whole = finish or session.position == session.upload.declared_size
        file = None
        try:
            if session.position != session.upload.committed_size and (cut is not None or not whole):
                await self._hand_over.tell(session.upload, Holding.ENDING)
            if whole and not isinstance(cut, RefusedError):
                file = await self._make(session)
            else:
                await session.settle()
            return file
        finally:
            await session.close()
            if file is None:
                await self._hand_over.tell(session.upload, Holding.NOTHING)

    async def _make(self, session: UploadSession) -> File:
        if session.upload.declared_size not in (None, session.position):
            await session.settle()
            raise upload_incomplete(session.position, session.upload.declared_size)
        await session.seal()
        return await self._finish(session.upload, session.sha256)
