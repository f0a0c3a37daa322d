"""Files and uploads as rows."""

from typing import Any

from chat4all_core.domain.file import File, FileState
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.upload import Holding, Upload, UploadState

FILE_COLUMNS = "file_id, conversation_id, owner, filename, mime_type, created_at, state, size, sha256, sha256_verified"

UPLOAD_COLUMNS = (
    "upload_id, file_id, conversation_id, owner, store_upload, part_size, declared_size, declared_sha256, expires_at,"
    " state, direct, parts, tail_size, tail_tag, hash_state, epoch, holding"
)


def file_to_row(file: File) -> tuple[Any, ...]:
    """The values of FILE_COLUMNS."""
    return (
        file.file_id,
        file.conversation_id,
        file.owner,
        file.filename,
        file.mime_type,
        file.created_at,
        int(file.state),
        file.size,
        file.sha256,
        int(file.sha256_verified),
    )


def file_from_row(row: tuple[Any, ...]) -> File:
    """The reverse of `file_to_row`."""
    file_id, conversation_id, owner, filename, mime_type, created_at, state, size, sha256, verified = row
    return File(
        file_id=file_id,
        conversation_id=conversation_id,
        owner=owner,
        filename=filename,
        mime_type=mime_type,
        created_at=Timestamp(created_at),
        state=FileState(state),
        size=size,
        sha256=sha256,
        sha256_verified=bool(verified),
    )


def upload_to_row(upload: Upload) -> tuple[Any, ...]:
    """The values of UPLOAD_COLUMNS."""
    return (
        upload.upload_id,
        upload.file_id,
        upload.conversation_id,
        upload.owner,
        upload.store_upload,
        upload.part_size,
        upload.declared_size,
        upload.declared_sha256,
        upload.expires_at,
        int(upload.state),
        int(upload.direct),
        upload.parts,
        upload.tail_size,
        upload.tail_tag,
        upload.hash_state,
        upload.epoch,
        int(upload.holding),
    )


def upload_from_row(row: tuple[Any, ...]) -> Upload:
    """The reverse of `upload_to_row`."""
    (upload_id, file_id, conversation_id, owner, store_upload, part_size, declared_size, declared_sha256) = row[:8]
    (expires_at, state, direct, parts, tail_size, tail_tag, hash_state, epoch, holding) = row[8:]
    return Upload(
        upload_id=upload_id,
        file_id=file_id,
        conversation_id=conversation_id,
        owner=owner,
        store_upload=store_upload,
        part_size=part_size,
        declared_size=declared_size,
        declared_sha256=declared_sha256,
        expires_at=Timestamp(expires_at),
        state=UploadState(state),
        direct=bool(direct),
        parts=parts,
        tail_size=tail_size,
        tail_tag=tail_tag,
        hash_state=hash_state,
        epoch=epoch,
        holding=Holding(holding),
    )
