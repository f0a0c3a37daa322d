"""Turns generated messages about files into the client's own values, as `translate` does for the others."""

from chat4all.files.v1 import file_pb2 as pb
from chat4all.files.v1 import file_service_pb2 as service_pb
from chat4all_sdk import file_models as models
from chat4all_sdk.translate import utc_time

__all__ = ["download_url", "file", "upload"]

_STATES = {
    pb.FileState.PENDING: models.FileState.PENDING,
    pb.FileState.AVAILABLE: models.FileState.AVAILABLE,
    pb.FileState.DELETED: models.FileState.DELETED,
}


def file(message: pb.File) -> models.File:
    """A file."""
    return models.File(
        file_id=message.file_id,
        conversation_id=message.conversation_id,
        filename=message.filename,
        size_bytes=message.size_bytes,
        mime_type=message.mime_type,
        sha256=message.sha256,
        state=_STATES.get(message.state, models.FileState.UNSPECIFIED),
        create_time=utc_time(message.create_time),
        owner=message.owner,
        sha256_verified=message.sha256_verified,
    )


def upload(message: pb.Upload) -> models.Upload:
    """An upload."""
    return models.Upload(
        upload_id=message.upload_id,
        file_id=message.file_id,
        committed_size=message.committed_size,
        chunk_size=message.chunk_size,
        max_size=message.max_size,
        size_bytes=message.size_bytes if message.HasField("size_bytes") else None,
        expire_time=utc_time(message.expire_time),
    )


def download_url(message: service_pb.GetDownloadUrlResponse) -> models.DownloadUrl:
    """A link."""
    return models.DownloadUrl(message.download_url, utc_time(message.expire_time))
