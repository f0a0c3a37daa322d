"""Use case: have a message carry a file."""

from chat4all_core.app.require_file import require_available
from chat4all_core.domain.errors import NotFoundError, Reason
from chat4all_core.domain.file import Attachment
from chat4all_core.domain.ids import ConversationId, FileId
from chat4all_core.ports.file_store import FileStore


class AttachFile:
    """Finds the file that a message is to carry."""

    def __init__(self, files: FileStore) -> None:
        self._files = files

    async def __call__(self, conversation_id: ConversationId, file_id: str) -> Attachment:
        """What the message keeps of the file.

        Raises:
            NotFoundError: FILE_NOT_FOUND: there is none, or not in this conversation, or it was deleted.
            FailedPreconditionError: FILE_NOT_AVAILABLE.
        """
        file = await self._files.get_file(FileId(file_id.lower()))
        if file is None or file.conversation_id != conversation_id:
            raise NotFoundError(
                Reason.FILE_NOT_FOUND, "there is no such file in the conversation", {"file_id": file_id}
            )
        require_available(file)
        return Attachment(file.file_id, file.filename, file.size, file.mime_type, file.sha256)
