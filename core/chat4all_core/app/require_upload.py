"""What use cases of uploads begin with: an upload of the caller's."""

from chat4all_core.app.require_conversation import require_conversation
from chat4all_core.domain.errors import NotFoundError, PermissionDeniedError, Reason
from chat4all_core.domain.file import File
from chat4all_core.domain.ids import UploadId, UserId
from chat4all_core.domain.upload import Upload, upload_closed
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.file_store import FileStore


async def require_upload(
    files: FileStore, conversations: ConversationStore, upload_id: str, caller: UserId, *, may_have_left: bool = False
) -> Upload:
    """The upload, for who began it and still takes part in its conversation (or does not, if `may_have_left`).

    Raises:
        NotFoundError: UPLOAD_NOT_FOUND.
        PermissionDeniedError: NOT_A_PARTICIPANT, NOT_FILE_OWNER.
    """
    upload = await read_upload(files, upload_id)
    if upload.owner == caller and may_have_left:
        return upload
    await require_conversation(conversations, upload.conversation_id, caller)
    if upload.owner != caller:
        raise PermissionDeniedError(
            Reason.NOT_FILE_OWNER, "only who began an upload may go on with it", {"upload_id": upload_id}
        )
    return upload


async def read_upload(files: FileStore, upload_id: str) -> Upload:
    """The upload as it is now, for whom it was required before.

    Raises:
        NotFoundError: UPLOAD_NOT_FOUND.
    """
    upload = await files.get_upload(UploadId(upload_id.lower()))
    if upload is None:
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
