"""Files and their uploads as rows."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chat4all_core.domain.file import File, FileState
from chat4all_core.domain.ids import FileId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.upload import Holding, Upload, UploadState

SHARED_COLUMNS = ("conversation_id", "owner", "created_at")
FILE_COLUMNS = ("filename", "mime_type", "file_state", "size", "sha256", "sha256_verified")
UPLOAD_COLUMNS = (
    *("upload_id", "upload_state", "store_upload", "part_size", "declared_size", "declared_sha256", "expires_at"),
    *("due_at", "direct", "parts", "tail_size", "tail_tag", "hash_state", "epoch", "holding"),
)
COLUMNS = ("file_id", *SHARED_COLUMNS, *FILE_COLUMNS, *UPLOAD_COLUMNS, "position", "object_removed", "holder")
"""What `record_from_row` wants."""

_UNKNOWN_SIZE = -1


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What a partition of `files` holds but the parts."""

    created_at: Timestamp
    file: File | None
    upload: Upload | None
    due_at: Timestamp
    """When the upload has to be looked at."""
    position: int
    """In the conversation's list; 0 when it has none."""
    object_removed: bool
    holder: str


def record_from_row(row: Sequence[Any]) -> FileRecord | None:
    """The record of a row with COLUMNS; None when both the file and the upload are gone."""
    values = dict(zip(COLUMNS, row, strict=True))
    if values["file_state"] is None and values["upload_state"] is None:
        return None
    return FileRecord(
        created_at=Timestamp(values["created_at"]),
        file=None if values["file_state"] is None else _file(values),
        upload=None if values["upload_state"] is None else _upload(values),
        due_at=Timestamp(values["due_at"] or 0),
        position=values["position"] or 0,
        object_removed=bool(values["object_removed"]),
        holder=values["holder"] or "",
    )


def shared_values(file: File) -> tuple[Any, ...]:
    """The values of SHARED_COLUMNS."""
    return file.conversation_id, file.owner, file.created_at


def file_values(file: File) -> tuple[Any, ...]:
    """The values of FILE_COLUMNS."""
    return file.filename, file.mime_type, int(file.state), file.size, file.sha256, int(file.sha256_verified)


def upload_values(upload: Upload) -> tuple[Any, ...]:
    """The values of UPLOAD_COLUMNS for an OPEN upload, which is due when it expires."""
    return (
        upload.upload_id,
        int(upload.state),
        upload.store_upload,
        upload.part_size,
        stored_size(upload.declared_size),
        upload.declared_sha256,
        upload.expires_at,
        upload.expires_at,
        int(upload.direct),
        upload.parts,
        upload.tail_size,
        upload.tail_tag,
        upload.hash_state,
        upload.epoch,
        int(upload.holding),
    )


def stored_size(declared_size: int | None) -> int:
    """A declared size as it is stored: a null would be a tombstone."""
    return _UNKNOWN_SIZE if declared_size is None else declared_size


def bucket_of(file_id: FileId, buckets: int) -> int:
    """Which of some buckets a file belongs to, for ever."""
    return zlib.crc32(file_id.encode()) % buckets


def _file(values: Mapping[str, Any]) -> File:
    return File(
        file_id=values["file_id"],
        conversation_id=values["conversation_id"],
        owner=values["owner"],
        filename=values["filename"],
        mime_type=values["mime_type"],
        created_at=Timestamp(values["created_at"]),
        state=FileState(values["file_state"]),
        size=values["size"],
        sha256=values["sha256"],
        sha256_verified=bool(values["sha256_verified"]),
    )


def _upload(values: Mapping[str, Any]) -> Upload:
    declared_size = values["declared_size"]
    return Upload(
        upload_id=values["upload_id"],
        file_id=values["file_id"],
        conversation_id=values["conversation_id"],
        owner=values["owner"],
        store_upload=values["store_upload"],
        part_size=values["part_size"],
        declared_size=None if declared_size == _UNKNOWN_SIZE else declared_size,
        declared_sha256=values["declared_sha256"],
        expires_at=Timestamp(values["expires_at"]),
        state=UploadState(values["upload_state"]),
        direct=bool(values["direct"]),
        parts=values["parts"],
        tail_size=values["tail_size"],
        tail_tag=values["tail_tag"],
        hash_state=values["hash_state"],
        epoch=values["epoch"],
        holding=Holding(values["holding"] or 0),
    )
