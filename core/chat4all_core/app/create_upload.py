"""Use case: begin an upload."""

from collections.abc import Callable
from dataclasses import dataclass

from chat4all_core.app.file_policy import FilePolicy
from chat4all_core.app.require_conversation import require_conversation
from chat4all_core.domain.errors import QuotaExceededError, Reason, ResourceExhaustedError, invalid_field
from chat4all_core.domain.file import File, check_mime_type, check_sha256, clean_filename
from chat4all_core.domain.ids import FileId, UploadId, UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.upload import UPLOAD_LIFETIME, Upload, check_size, part_size_for
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.conversation_store import ConversationStore
from chat4all_core.ports.file_store import Admission, FileStore, Quota
from chat4all_core.ports.object_store import ObjectStore, StoreUpload

_RETRY_AFTER = 30.0


@dataclass(frozen=True, slots=True)
class NewFile:
    """What a client says of a file. Empty text means that a field was left out."""

    conversation_id: str
    filename: str
    mime_type: str = ""
    size: int | None = None
    sha256: str = ""


class CreateUpload:
    """Begins uploads."""

    def __init__(
        self,
        *,
        conversations: ConversationStore,
        files: FileStore,
        objects: ObjectStore,
        clock: Clock,
        new_id: Callable[[], str],
        policy: FilePolicy,
        part_size: Callable[[int | None], int] = part_size_for,
    ) -> None:
        """`part_size`: of the parts of a file of a size, which may be unknown."""
        self._conversations = conversations
        self._files = files
        self._objects = objects
        self._clock = clock
        self._new_id = new_id
        self._policy = policy
        self._part_size = part_size

    async def __call__(self, caller: UserId, new: NewFile) -> tuple[Upload, File]:
        """An upload of no bytes yet, and its file.

        Raises:
            InvalidArgumentError: a field is wrong, or SIZE_EXCEEDED.
            NotFoundError: CONVERSATION_NOT_FOUND.
            PermissionDeniedError: NOT_A_PARTICIPANT.
            QuotaExceededError: QUOTA_EXCEEDED.
            ResourceExhaustedError: TOO_MANY_UPLOADS.
            UnavailableError: an engine can't be had now.
        """
        size = check_size(new.size, self._policy.max_file_bytes)
        mime_type, sha256 = check_mime_type(new.mime_type), check_sha256(new.sha256)
        if not new.filename:
            raise invalid_field("filename", "must not be empty")
        conversation = await require_conversation(self._conversations, new.conversation_id, caller)
        now = self._clock()
        file = File(
            file_id=FileId(self._new_id()),
            conversation_id=conversation.conversation_id,
            owner=caller,
            filename=clean_filename(new.filename),
            mime_type=mime_type,
            created_at=now,
        )
        part_size = self._part_size(size)
        # The store first: what has no record is found there and removed, what has one must be there.
        store_upload = await self._objects.begin(file.object_key, part_size)
        upload = Upload(
            upload_id=UploadId(self._new_id()),
            file_id=file.file_id,
            conversation_id=file.conversation_id,
            owner=caller,
            store_upload=store_upload,
            part_size=part_size,
            declared_size=size,
            declared_sha256=sha256,
            expires_at=Timestamp(now + UPLOAD_LIFETIME),
        )
        admission = await self._files.create(file, upload, self._policy.quota)
        if admission is not Admission.ADMITTED:
            await self._objects.abort(StoreUpload(file.object_key, store_upload, part_size))
            raise refusal(admission, self._policy.quota)
        return upload, file


def refusal(admission: Admission, quota: Quota) -> QuotaExceededError | ResourceExhaustedError:
    """The error for what was not admitted."""
    if admission is Admission.OVER_BYTES:
        return QuotaExceededError(
            Reason.QUOTA_EXCEEDED,
            f"all your files together may have {quota.max_bytes} bytes at most",
            {"max_bytes": str(quota.max_bytes)},
        )
    error = ResourceExhaustedError(
        Reason.TOO_MANY_UPLOADS, f"{quota.max_uploads} unfinished uploads are allowed at a time", _RETRY_AFTER
    )
    error.metadata["max_uploads"] = str(quota.max_uploads)
    return error
