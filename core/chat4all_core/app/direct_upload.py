"""Use case: have the bytes of a file go straight to the store."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from chat4all_core.app.active_writers import ActiveWriters
from chat4all_core.app.file_policy import FilePolicy
from chat4all_core.app.finish_upload import FinishUpload
from chat4all_core.app.require_upload import file_of, read_upload, require_upload
from chat4all_core.domain.errors import invalid_field
from chat4all_core.domain.file import File, object_key
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.domain.upload import (
    UPLOAD_LIFETIME,
    Part,
    Progress,
    Upload,
    UploadState,
    part_count,
    part_range,
    require_open,
    taken_over,
    upload_incomplete,
    upload_is_direct,
)
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.file_store import Admission, FileStore
from chat4all_core.ports.object_store import ObjectStore, StoreUpload

MAX_PARTS_A_CALL = 1_000
DEFAULT_PARTS_A_CALL = 100

VERIFY_BYTES = 256 << 20
"""Direct uploads up to this size are read back once to compute their SHA-256; larger ones would take too long."""


@dataclass(frozen=True, slots=True)
class PartLink:
    """Where to send a part."""

    number: int
    offset: int
    size: int
    url: str


@dataclass(frozen=True, slots=True)
class PartLinks:
    """Where to send some of the parts of a file."""

    links: Sequence[PartLink]
    total_parts: int
    expires_at: Timestamp


class DirectUpload:
    """Gives out URLs of parts, and makes the file once all are there."""

    def __init__(
        self,
        *,
        files: FileStore,
        conversations: ConversationStore,
        objects: ObjectStore,
        finish: FinishUpload,
        writers: ActiveWriters,
        clock: Clock,
        policy: FilePolicy,
    ) -> None:
        self._files = files
        self._conversations = conversations
        self._objects = objects
        self._finish = finish
        self._writers = writers
        self._clock = clock
        self._policy = policy

    async def links(self, caller: UserId, upload_id: str, first: int, count: int) -> PartLinks:
        """URLs of up to `count` parts from `first` on; 0 means the default of either.

        Raises:
            NotFoundError: UPLOAD_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT, NOT_FILE_OWNER.
            InvalidArgumentError: a field is wrong, or the size was not declared.
            FailedPreconditionError: UPLOAD_CLOSED, or UPLOAD_IS_DIRECT: bytes were written already.
        """
        first, count = first or 1, count or DEFAULT_PARTS_A_CALL
        if first < 1:
            raise invalid_field("first_part", "must be at least 1")
        if not 1 <= count <= MAX_PARTS_A_CALL:
            raise invalid_field("part_count", f"must be 1 to {MAX_PARTS_A_CALL}")
        upload = await self._take(caller, upload_id)
        size = _declared_size(upload)
        total = part_count(size, upload.part_size)
        made = _store_upload(upload)
        links = []
        for number in range(first, min(first + count, total + 1)):
            offset, length = part_range(number, size, upload.part_size)
            url = await self._objects.presign_part(made, number, length, self._policy.part_link_seconds)
            links.append(PartLink(number, offset, length, url))
        return PartLinks(links, total, Timestamp(self._clock() + self._policy.part_link_seconds * SECOND))

    async def complete(self, caller: UserId, upload_id: str) -> File:
        """The file, AVAILABLE.

        Raises:
            NotFoundError: UPLOAD_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT, NOT_FILE_OWNER.
            FailedPreconditionError: UPLOAD_CLOSED, UPLOAD_INCOMPLETE, UPLOAD_IS_DIRECT: it is not; SHA256_MISMATCH,
                MIME_TYPE_MISMATCH.
            AbortedError: UPLOAD_TAKEN_OVER: it was completed or closed at the same moment.
            UnavailableError: an engine can't be had now.
        """
        known = await require_upload(self._files, self._conversations, upload_id, caller)
        async with self._writers.writing(known.upload_id):
            upload = await read_upload(self._files, upload_id)
            if upload.state is UploadState.FINISHED:
                return await file_of(self._files, upload)
            require_open(upload, self._clock())
            if not upload.direct:
                raise upload_is_direct(upload.upload_id)
            if not upload.is_whole:
                upload = await self._record_parts(upload)
            return await self._finish(upload, None, verify=_declared_size(upload) <= VERIFY_BYTES)

    async def _take(self, caller: UserId, upload_id: str) -> Upload:
        upload = await require_upload(self._files, self._conversations, upload_id, caller)
        require_open(upload, self._clock())
        _declared_size(upload)
        if not upload.direct and upload.committed_size:
            raise upload_is_direct(upload.upload_id)
        if upload.direct and upload.is_whole and upload.committed_size:
            return upload  # being completed
        taken = await self._files.take(
            upload.upload_id,
            upload.epoch,
            Timestamp(self._clock() + UPLOAD_LIFETIME),
            declared_size=upload.declared_size,
            direct=True,
        )
        if taken is None:
            raise taken_over(upload.upload_id)
        return taken

    async def _record_parts(self, upload: Upload) -> Upload:
        size = _declared_size(upload)
        stored = await self._objects.stored_parts(_store_upload(upload))
        parts = _contiguous(stored, size, upload.part_size)
        there = sum(part.size for part in parts)
        if there < size:
            raise upload_incomplete(there, size)
        full, rest = divmod(size, upload.part_size)
        progress = Progress(full, rest, "", b"", parts, sealed=True)
        expires_at = Timestamp(self._clock() + UPLOAD_LIFETIME)
        admission = await self._files.commit(upload.upload_id, upload.epoch, progress, expires_at, self._policy.quota)
        if admission is not Admission.ADMITTED:
            raise taken_over(upload.upload_id)
        return await read_upload(self._files, upload.upload_id)


def _declared_size(upload: Upload) -> int:
    if upload.declared_size is None:
        raise invalid_field("upload_id", "names an upload whose size was not declared, which a direct upload needs")
    return upload.declared_size


def _store_upload(upload: Upload) -> StoreUpload:
    return StoreUpload(object_key(upload.file_id), upload.store_upload, upload.part_size)


def _contiguous(stored: Mapping[int, Part], size: int, part_size: int) -> list[Part]:
    """The parts from the first on, up to one that is missing or has another size than it must."""
    parts = []
    for number in range(1, part_count(size, part_size) + 1):
        part = stored.get(number)
        if part is None or part.size != part_range(number, size, part_size)[1]:
            break
        parts.append(part)
    return parts
