"""Uploads: where they stand, and the rules of going on.

Words. An upload is stored in *parts*: part k (1, 2, 3, …) is always the bytes from (k - 1) * part_size on, and all
parts but the last have part_size bytes. What a cut leaves below that is the *tail*. The *committed size* is the
contiguous parts and the tail: what would survive a crash. The *epoch* counts those who have held the upload: each
writer, and whoever closes it, raises it, and nothing is recorded under an older one. An upload is *sealed* when
its last part, shorter than the others, is stored as a part: nothing comes after it.

Epochs alone keep writers apart. What the holder does (`Holding`) is recorded besides, so that the next one may wait for
the bytes that it still has in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from chat4all_core.domain.errors import (
    AbortedError,
    FailedPreconditionError,
    InvalidArgumentError,
    OutOfRangeError,
    Reason,
    invalid_field,
)
from chat4all_core.domain.file import MAX_FILE_BYTES
from chat4all_core.domain.ids import ConversationId, FileId, UploadId, UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp

MIN_PART_BYTES = 8 << 20
"""Also the size of every part of a file whose size is not known beforehand. S3 wants 5 MiB at least."""

MAX_PART_BYTES = 64 << 20
"""A part lies in memory until it is stored, so parts stop growing here: whoever stores a file of more parts than its
own limit joins them."""

COMFORTABLE_PARTS = 10_000
"""Parts grow rather than become more than these: S3's limit for one multipart upload."""

UPLOAD_LIFETIME = 24 * 60 * 60 * SECOND
"""From the last byte that came."""


class UploadState(IntEnum):
    """What an upload waits for."""

    OPEN = 1
    """More bytes, or to be finished."""
    FINISHED = 2
    """Nothing: its file is AVAILABLE."""
    CLOSED = 3
    """Its bytes to be removed: it was cancelled, expired, or failed for good."""
    CLEANED = 4
    """Nothing: nothing is left of it but this."""


class Holding(IntEnum):
    """What the holder of an upload does. A holder that died is whatever it was."""

    NOTHING = 0
    """All that it ever had is recorded, or will never be."""
    WRITING = 1
    """It takes bytes."""
    ASKED = 2
    """The same, and somebody waits for it to end."""
    ENDING = 3
    """Nothing more comes, and what came is being recorded."""


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload, as it is stored."""

    upload_id: UploadId
    file_id: FileId
    conversation_id: ConversationId
    owner: UserId
    store_upload: str
    """What the object store calls it."""
    part_size: int
    declared_size: int | None
    declared_sha256: str
    """Empty when not declared."""
    expires_at: Timestamp
    state: UploadState = UploadState.OPEN
    direct: bool = False
    """Whether its bytes go straight to the store."""
    parts: int = 0
    """How many contiguous parts are stored, from the first on."""
    tail_size: int = 0
    tail_tag: str = ""
    """What the store calls the tail; empty when the upload is sealed."""
    hash_state: bytes = b""
    """State of SHA-256 after the committed bytes; empty when it can't be stored."""
    epoch: int = 0
    holding: Holding = Holding.NOTHING

    @property
    def committed_size(self) -> int:
        """How many bytes, from the first on, would survive a crash."""
        return self.parts * self.part_size + self.tail_size

    @property
    def max_size(self) -> int:
        """The most bytes it may have."""
        return MAX_FILE_BYTES if self.declared_size is None else self.declared_size

    @property
    def is_whole(self) -> bool:
        """Whether every byte that was declared is committed."""
        return self.committed_size == self.declared_size


@dataclass(frozen=True, slots=True)
class Part:
    """A part that is stored."""

    number: int
    size: int
    tag: str
    """Tells it from what else may have been stored under its number."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What a writer has added: how far the upload is afterwards."""

    parts: int
    tail_size: int
    tail_tag: str
    hash_state: bytes
    new_parts: Sequence[Part]
    """Those that were stored since the last progress."""
    sealed: bool = False
    """The tail is stored as the last part, and the committed size is that of the whole from now on."""


def holding_of_taker(*, direct: bool) -> Holding:
    """What whoever takes an upload does then: bytes that go straight to the store pass nobody."""
    return Holding.NOTHING if direct else Holding.WRITING


def part_size_for(size: int | None) -> int:
    """The size of the parts of a file of this size."""
    part = MIN_PART_BYTES
    while part < MAX_PART_BYTES and part * COMFORTABLE_PARTS < (size or 0):
        part *= 2
    return part


def part_count(size: int, part_size: int) -> int:
    """How many parts a file has."""
    return -(-size // part_size)


def part_range(number: int, size: int, part_size: int) -> tuple[int, int]:
    """Where a part of a file begins, and how many bytes it has."""
    offset = (number - 1) * part_size
    return offset, min(part_size, size - offset)


def check_size(size: int | None, max_size: int, field: str = "size_bytes") -> int | None:
    """A declared size.

    Raises:
        InvalidArgumentError: it is negative; or SIZE_EXCEEDED.
    """
    if size is not None and size < 0:
        raise invalid_field(field, "must not be negative")
    if size is not None and size > max_size:
        raise size_exceeded(max_size)
    return size


def check_offset(offset: int, committed_size: int) -> None:
    """Refuse to write where a gap would come of it.

    Raises:
        InvalidArgumentError: it is negative.
        OutOfRangeError: OFFSET_BEYOND_COMMITTED.
    """
    if offset < 0:
        raise invalid_field("offset", "must not be negative")
    if offset > committed_size:
        raise offset_beyond(committed_size)


def overlap(offset: int, length: int, position: int) -> int:
    """How many of `length` bytes from `offset` on lie before `position`, where they are stored already."""
    return max(0, min(length, position - offset))


def require_open(upload: Upload, now: Timestamp) -> None:
    """Refuse to go on with an upload that is over.

    Raises:
        FailedPreconditionError: UPLOAD_CLOSED.
    """
    if upload.state is not UploadState.OPEN or upload.expires_at <= now:
        raise upload_closed(upload.upload_id)


def upload_closed(upload_id: UploadId) -> FailedPreconditionError:
    """The error for an upload that is over."""
    return FailedPreconditionError(
        Reason.UPLOAD_CLOSED, "the upload was cancelled, has expired or has failed", {"upload_id": upload_id}
    )


def upload_is_direct(upload_id: UploadId) -> FailedPreconditionError:
    """The error for an upload whose bytes go another way."""
    return FailedPreconditionError(
        Reason.UPLOAD_IS_DIRECT, "the upload's bytes go straight to the store", {"upload_id": upload_id}
    )


def taken_over(upload_id: UploadId) -> AbortedError:
    """The error for a writer whose upload somebody else holds now."""
    return AbortedError(Reason.UPLOAD_TAKEN_OVER, "somebody else goes on with the upload", {"upload_id": upload_id})


def offset_beyond(committed_size: int) -> OutOfRangeError:
    """The error for bytes that would leave a gap."""
    return OutOfRangeError(
        Reason.OFFSET_BEYOND_COMMITTED,
        f"the next byte belongs at offset {committed_size}",
        {"committed_size": str(committed_size)},
    )


def size_exceeded(max_size: int) -> InvalidArgumentError:
    """The error for more bytes than there may be."""
    error = InvalidArgumentError(f"the file may have {max_size} bytes at most", reason=Reason.SIZE_EXCEEDED)
    error.metadata["max_size"] = str(max_size)
    return error


def upload_incomplete(committed_size: int, declared_size: int | None) -> FailedPreconditionError:
    """The error for finishing while bytes are missing."""
    metadata = {"committed_size": str(committed_size)}
    if declared_size is not None:
        metadata["size_bytes"] = str(declared_size)
    return FailedPreconditionError(
        Reason.UPLOAD_INCOMPLETE, f"{committed_size} bytes are there, and more are to come", metadata
    )
