"""Use cases: look at an upload, and give it up."""

import structlog

from chat4all_core.app.active_writers import ActiveWriters
from chat4all_core.app.discard_upload import DiscardUpload
from chat4all_core.app.hand_over import HandOver
from chat4all_core.app.require_upload import file_of, read_upload, require_upload
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.domain.file import File
from chat4all_core.domain.ids import UserId
from chat4all_core.domain.upload import Upload, UploadState, require_open, upload_closed
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.file_store import FileStore

_log = structlog.get_logger(__name__)


class GetUpload:
    """Shows uploads to who began them."""

    def __init__(
        self, *, files: FileStore, conversations: ConversationStore, hand_over: HandOver, clock: Clock
    ) -> None:
        self._files = files
        self._conversations = conversations
        self._hand_over = hand_over
        self._clock = clock

    async def __call__(self, caller: UserId, upload_id: str) -> tuple[Upload, File]:
        """How far an upload has come, and its file. Waits a moment while the bytes of a stream that has ended are being
        recorded.

        Raises:
            NotFoundError: UPLOAD_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT, NOT_FILE_OWNER.
            FailedPreconditionError: UPLOAD_CLOSED.
        """
        upload = await require_upload(self._files, self._conversations, upload_id, caller)
        upload = await self._hand_over.recorded(upload)
        if upload.state is not UploadState.FINISHED:
            require_open(upload, self._clock())
        return upload, await file_of(self._files, upload)


class CancelUpload:
    """Gives uploads up."""

    def __init__(
        self, *, files: FileStore, conversations: ConversationStore, writers: ActiveWriters, discard: DiscardUpload
    ) -> None:
        self._files = files
        self._conversations = conversations
        self._writers = writers
        self._discard = discard

    async def __call__(self, caller: UserId, upload_id: str) -> None:
        """Close an upload and remove its bytes. One that is closed already is left as it is. Who has left the
        conversation may still give up what they began.

        Raises:
            NotFoundError: UPLOAD_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT, NOT_FILE_OWNER.
            FailedPreconditionError: UPLOAD_CLOSED: it is finished.
        """
        upload = await require_upload(self._files, self._conversations, upload_id, caller, may_have_left=True)
        while upload.state is UploadState.OPEN:
            await self._writers.stop(upload.upload_id)
            if await self._files.close(upload.upload_id, upload.epoch):
                await self._remove(upload)
                return
            upload = await read_upload(self._files, upload_id)
        if upload.state is UploadState.FINISHED:
            raise upload_closed(upload.upload_id)

    async def _remove(self, upload: Upload) -> None:
        try:
            await self._discard(upload)
        except UnavailableError as error:  # it is closed, so the bytes are removed later
            _log.warning("upload_not_discarded", upload_id=upload.upload_id, error=error.message)
