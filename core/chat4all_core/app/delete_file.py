"""Use case: delete a file."""

import structlog

from chat4all_core.app.require_file import require_file
from chat4all_core.domain.conversation import Role
from chat4all_core.domain.errors import FailedPreconditionError, PermissionDeniedError, Reason, UnavailableError
from chat4all_core.domain.file import FileState
from chat4all_core.domain.ids import UserId
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.file_store import FileStore
from chat4all_core.ports.object_store import ObjectStore

_log = structlog.get_logger(__name__)


class DeleteFile:
    """Deletes files for everybody."""

    def __init__(self, *, conversations: ConversationStore, files: FileStore, objects: ObjectStore) -> None:
        self._conversations = conversations
        self._files = files
        self._objects = objects

    async def __call__(self, caller: UserId, file_id: str) -> None:
        """Delete a file; one that is deleted already is left as it is.

        Raises:
            NotFoundError: FILE_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT, NOT_FILE_OWNER.
            FailedPreconditionError: FILE_NOT_AVAILABLE: cancel its upload instead.
        """
        file, conversation = await require_file(self._files, self._conversations, file_id, caller)
        if file.owner != caller and conversation.require_participant(caller).role is not Role.ADMIN:
            raise PermissionDeniedError(
                Reason.NOT_FILE_OWNER, "only its uploader or an admin may delete a file", {"file_id": file_id}
            )
        if file.state is FileState.PENDING:
            raise FailedPreconditionError(
                Reason.FILE_NOT_AVAILABLE, "the file's upload is not finished; cancel it", {"file_id": file_id}
            )
        await self._files.delete_file(file.file_id)
        try:
            await self._objects.delete(file.object_key)
            await self._files.object_removed(file.file_id)
        except UnavailableError as error:  # it is deleted, so the bytes are removed later
            _log.warning("object_not_removed", file_id=file.file_id, error=error.message)
