"""What use cases of files begin with: a file of a conversation that the caller takes part in."""

from chat4all_core.app.require_conversation import require_conversation
from chat4all_core.domain.conversation import Conversation
from chat4all_core.domain.errors import FailedPreconditionError, NotFoundError, Reason
from chat4all_core.domain.file import File, FileState
from chat4all_core.domain.ids import FileId, UserId
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.file_store import FileStore


async def require_file(
    files: FileStore, conversations: ConversationStore, file_id: str, caller: UserId
) -> tuple[File, Conversation]:
    """The file and its conversation.

    Raises:
        NotFoundError: FILE_NOT_FOUND.
        PermissionDeniedError: NOT_A_PARTICIPANT.
    """
    file = await files.get_file(FileId(file_id.lower()))
    if file is None:
        raise NotFoundError(Reason.FILE_NOT_FOUND, "there is no such file", {"file_id": file_id})
    return file, await require_conversation(conversations, file.conversation_id, caller)


def require_available(file: File) -> None:
    """Refuse a file that has no bytes to be had.

    Raises:
        NotFoundError: FILE_NOT_FOUND: it was deleted.
        FailedPreconditionError: FILE_NOT_AVAILABLE.
    """
    if file.state is FileState.DELETED:
        raise NotFoundError(Reason.FILE_NOT_FOUND, "the file was deleted", {"file_id": file.file_id})
    if file.state is not FileState.AVAILABLE:
        raise FailedPreconditionError(
            Reason.FILE_NOT_AVAILABLE, "the file's upload is not finished", {"file_id": file.file_id}
        )
