"""Use case: read files."""

from collections.abc import AsyncGenerator, Sequence

from chat4all_core.app.file_policy import FilePolicy
from chat4all_core.app.require_conversation import require_conversation
from chat4all_core.app.require_file import require_available, require_file
from chat4all_core.domain.errors import OutOfRangeError, Reason, invalid_field
from chat4all_core.domain.file import File, object_key
from chat4all_core.domain.ids import FileId, UserId
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.file_store import FileStore, ListedFile
from chat4all_core.ports.object_store import ObjectStore


class ReadFiles:
    """Shows files to participants, and gives out their bytes."""

    def __init__(
        self,
        *,
        conversations: ConversationStore,
        files: FileStore,
        objects: ObjectStore,
        clock: Clock,
        policy: FilePolicy,
    ) -> None:
        self._conversations = conversations
        self._files = files
        self._objects = objects
        self._clock = clock
        self._policy = policy

    async def get(self, caller: UserId, file_id: str) -> File:
        """A file in any state.

        Raises:
            NotFoundError: FILE_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT.
        """
        file, _ = await require_file(self._files, self._conversations, file_id, caller)
        return file

    async def available(self, caller: UserId, file_id: str) -> File:
        """A file whose bytes may be read. Raises as `get`, and FailedPreconditionError: FILE_NOT_AVAILABLE."""
        file = await self.get(caller, file_id)
        require_available(file)
        return file

    async def list(self, caller: UserId, conversation_id: str, before: int | None, limit: int) -> Sequence[ListedFile]:
        """Up to `limit` AVAILABLE files of a conversation, newest first.

        Raises:
            NotFoundError: CONVERSATION_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT.
        """
        conversation = await require_conversation(self._conversations, conversation_id, caller)
        return await self._files.list_files(conversation.conversation_id, before, limit)

    async def download_url(self, caller: UserId, file_id: str) -> tuple[str, Timestamp]:
        """A URL to download a file from, and until when it may be used. Raises as `available`."""
        file = await self.available(caller, file_id)
        url = await self.link(file.file_id, file.filename, file.mime_type)
        return url, Timestamp(self._clock() + self._policy.link_seconds * SECOND)

    async def link(self, file_id: FileId, filename: str, mime_type: str) -> str:
        """A URL to download a file from, for callers who know that it may be given out."""
        return await self._objects.presign_get(object_key(file_id), filename, mime_type, self._policy.link_seconds)

    def content(self, file: File, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """The bytes of an available file with start <= index < end; close it when it isn't read to its end."""
        return self._objects.read(file.object_key, start, end)


def byte_range(file: File, offset: int, limit: int) -> tuple[int, int]:
    """The range that a client asks for; limit 0 means all that follows.

    Raises:
        InvalidArgumentError: a number is negative.
        OutOfRangeError: RANGE_INVALID.
    """
    for field, value in (("offset", offset), ("limit", limit)):
        if value < 0:
            raise invalid_field(field, "must not be negative")
    if offset > file.size:
        raise range_invalid(file.size)
    return offset, min(file.size, offset + limit) if limit else file.size


def range_invalid(size: int) -> OutOfRangeError:
    """The error for a range outside of a file."""
    return OutOfRangeError(Reason.RANGE_INVALID, f"the file has {size} bytes", {"size_bytes": str(size)})
