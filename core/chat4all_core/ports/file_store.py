"""Where it is recorded which files and uploads there are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from chat4all_core.domain.file import File, FileState
from chat4all_core.domain.ids import ConversationId, FileId, UploadId, UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.upload import Holding, Part, Progress, Upload


@dataclass(frozen=True, slots=True)
class Quota:
    """What one user may store."""

    max_bytes: int
    """Of all files that are not deleted, with those under way: the declared size of an upload, or what is committed of
    one without."""
    max_uploads: int
    """OPEN at a time."""


class Admission(Enum):
    """Whether something was recorded."""

    ADMITTED = auto()
    OVER_BYTES = auto()
    """Nothing was: the owner would store more than allowed."""
    OVER_UPLOADS = auto()
    """Nothing was: the owner would have more uploads than allowed."""
    LOST = auto()
    """Nothing was: the upload has another epoch by now, or is not OPEN any more."""


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file with its place in the list of its conversation."""

    position: int
    """Grows with the time at which files became AVAILABLE; no two of a conversation share one."""
    file: File


class FileStore(Protocol):
    """Changes of an upload are conditional on its epoch, so whoever has lost it records nothing. All writes are durable
    when they return; each raises UnavailableError when that can't be had, and may be made again."""

    async def create(self, file: File, upload: Upload, quota: Quota) -> Admission:
        """Record a PENDING file and its OPEN upload; ADMITTED or OVER_…. The quota may be overrun a little by calls
        at the same moment."""
        ...

    async def get_upload(self, upload_id: UploadId) -> Upload | None:
        """An upload as it is now, or None."""
        ...

    async def get_file(self, file_id: FileId) -> File | None:
        """A file as it is now, or None."""
        ...

    async def take(
        self, upload_id: UploadId, epoch: int, expires_at: Timestamp, *, declared_size: int | None, direct: bool
    ) -> Upload | None:
        """Become the holder of an OPEN upload that has this epoch: it gets the next one, and a new time of expiry,
        declared size (the same, or one where there was none) and way of its bytes. The holder is WRITING, or does
        NOTHING when the bytes go straight to the store. None when it is not OPEN or has another epoch: look again."""
        ...

    async def set_holding(self, upload_id: UploadId, epoch: int, holding: Holding) -> bool:
        """Record what the holder does, or, with ASKED, that somebody waits for it, if it is WRITING. False when nothing
        was recorded. An engine that one process has for itself forgets it when it is opened."""
        ...

    async def commit(
        self, upload_id: UploadId, epoch: int, progress: Progress, expires_at: Timestamp, quota: Quota
    ) -> Admission:
        """Record what the holder has stored; ADMITTED, LOST or OVER_BYTES (checked only when no size was declared)."""
        ...

    async def parts(self, upload_id: UploadId) -> Sequence[Part]:
        """The parts that were committed, by number."""
        ...

    async def finish(self, upload_id: UploadId, epoch: int, file: File, forget_at: Timestamp) -> bool:
        """Make an upload FINISHED and its file AVAILABLE, as it is given, at once. False when the upload is lost."""
        ...

    async def close(self, upload_id: UploadId, epoch: int) -> bool:
        """Make an OPEN upload CLOSED and due at once, raising its epoch so that nobody goes on with it. False when it
        is not OPEN or has another epoch: look again."""
        ...

    async def due_uploads(self, now: Timestamp, limit: int) -> Sequence[Upload]:
        """Up to `limit` uploads whose time has come: OPEN ones that have expired, CLOSED ones, and FINISHED and CLEANED
        ones to be forgotten; the longest due first."""
        ...

    async def cleaned(self, upload_id: UploadId, forget_at: Timestamp) -> None:
        """Make a CLOSED upload CLEANED. Its file, still PENDING, is forgotten."""
        ...

    async def forget_upload(self, upload_id: UploadId) -> None:
        """Remove a FINISHED or CLEANED upload; its file stays as it is."""
        ...

    async def list_files(self, conversation_id: ConversationId, before: int | None, limit: int) -> Sequence[ListedFile]:
        """Up to `limit` AVAILABLE files of a conversation at positions below `before`, the highest first."""
        ...

    async def delete_file(self, file_id: FileId) -> None:
        """Make an AVAILABLE file DELETED; nothing happens to one in another state. Its object is due for removal."""
        ...

    async def removable_files(self, limit: int) -> Sequence[FileId]:
        """Up to `limit` DELETED files whose object was not removed yet."""
        ...

    async def object_removed(self, file_id: FileId) -> None:
        """Record that the object of a DELETED file is gone."""
        ...

    async def file_states(self, file_ids: Collection[FileId]) -> Mapping[FileId, FileState]:
        """The states of those that there are."""
        ...

    async def usage(self, owner: UserId) -> int:
        """The bytes that count towards a user's quota."""
        ...
