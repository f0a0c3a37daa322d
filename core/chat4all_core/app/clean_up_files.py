"""Use case: remove what nobody needs any more of files and uploads."""

from dataclasses import dataclass

from chat4all_core.app.active_writers import ActiveWriters
from chat4all_core.app.discard_upload import DiscardUpload
from chat4all_core.domain.file import FileState, file_id_of, object_key
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.domain.upload import Upload, UploadState
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.file_store import FileStore
from chat4all_core.ports.object_store import Leftover, ObjectStore

_BATCH = 500

MIN_AGE = 60 * 60 * SECOND
"""What came to the store less than this ago may still get its record."""


@dataclass(slots=True)
class CleanUp:
    """What was removed."""

    uploads_expired: int = 0
    uploads_discarded: int = 0
    uploads_forgotten: int = 0
    objects_removed: int = 0
    leftovers_removed: int = 0


class CleanUpFiles:
    """Safe to run twice, at the same time, and while uploads go on: what is removed is closed first, on record."""

    def __init__(
        self,
        *,
        files: FileStore,
        objects: ObjectStore,
        discard: DiscardUpload,
        writers: ActiveWriters,
        clock: Clock,
    ) -> None:
        self._files = files
        self._objects = objects
        self._discard = discard
        self._writers = writers
        self._clock = clock

    async def __call__(self) -> CleanUp:
        """Look at everything once.

        Raises:
            UnavailableError: an engine can't be had now; what is left will be found the next time.
        """
        done = CleanUp()
        while due := await self._files.due_uploads(self._clock(), _BATCH):
            for upload in due:
                await self._settle(upload, done)
        while removable := await self._files.removable_files(_BATCH):
            for file_id in removable:
                await self._objects.delete(object_key(file_id))
                await self._files.object_removed(file_id)
                done.objects_removed += 1
        await self._remove_leftovers(done)
        return done

    async def _settle(self, upload: Upload, done: CleanUp) -> None:
        match upload.state:
            case UploadState.OPEN:
                await self._writers.stop(upload.upload_id)
                # False when somebody went on with it at the last moment: then it is not due any more.
                if await self._files.close(upload.upload_id, upload.epoch):
                    done.uploads_expired += 1
            case UploadState.CLOSED:
                await self._discard(upload)
                done.uploads_discarded += 1
            case UploadState.FINISHED | UploadState.CLEANED:
                await self._files.forget_upload(upload.upload_id)
                done.uploads_forgotten += 1

    async def _remove_leftovers(self, done: CleanUp) -> None:
        batch: list[Leftover] = []
        async for leftover in self._objects.leftovers():
            batch.append(leftover)
            if len(batch) == _BATCH:
                await self._remove_unwanted(batch, done)
                batch = []
        await self._remove_unwanted(batch, done)

    async def _remove_unwanted(self, batch: list[Leftover], done: CleanUp) -> None:
        newest = Timestamp(self._clock() - MIN_AGE)
        old = {e: file_id for e in batch if e.stored_at < newest and (file_id := file_id_of(e.key)) is not None}
        # The records are read after the store was: whoever has none now won't get one.
        states = await self._files.file_states(set(old.values())) if old else {}
        for leftover, file_id in old.items():
            if await self._remove(leftover, states.get(file_id)):
                done.leftovers_removed += 1

    async def _remove(self, leftover: Leftover, state: FileState | None) -> bool:
        if not leftover.finished and state is not FileState.PENDING:
            await self._objects.remove_unfinished(leftover.key)
            return True
        if leftover.finished and state in (None, FileState.DELETED):
            await self._objects.delete(leftover.key)
            return True
        return False
