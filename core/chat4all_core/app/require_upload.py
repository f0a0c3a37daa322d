"""What use cases of uploads begin with: an upload of the caller's."""

from chat4all_core.domain.errors import NotFoundError, Reason
from chat4all_core.domain.file import File
from chat4all_core.domain.ids import UploadId, UserId
from chat4all_core.domain.upload import Upload, upload_closed
from chat4all_core.ports.file_store import FileStore


async def require_upload(files: FileStore, upload_id: str, caller: UserId) -> Upload:
    """The upload. Somebody else's is answered as one that does not exist.

    Raises:
        NotFoundError: UPLOAD_NOT_FOUND.
    """
    upload = await files.get_upload(UploadId(upload_id.lower()))
    if upload is None or upload.owner != caller:
        raise NotFoundError(Reason.UPLOAD_NOT_FOUND, "there is no such upload", {"upload_id": upload_id})
    return upload


async def file_of(files: FileStore, upload: Upload) -> File:
    """The file that an upload makes or has made.

    Raises:
        FailedPreconditionError: UPLOAD_CLOSED: it is gone with the upload.
    """
    file = await files.get_file(upload.file_id)
    if file is None:
        raise upload_closed(upload.upload_id)
    return file
