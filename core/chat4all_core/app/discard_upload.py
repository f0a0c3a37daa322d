"""Removing what an upload that is over has left."""

from chat4all_core.domain.file import object_key
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.upload import UPLOAD_LIFETIME, Upload
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.file_store import FileStore
from chat4all_core.ports.object_store import ObjectStore, StoreUpload


class DiscardUpload:
    """Removes the bytes of CLOSED uploads. Safe to run twice, and at the same time."""

    def __init__(self, *, files: FileStore, objects: ObjectStore, clock: Clock) -> None:
        self._files = files
        self._objects = objects
        self._clock = clock

    async def __call__(self, upload: Upload) -> None:
        """Remove the bytes of a CLOSED upload, then record that they are gone."""
        key = object_key(upload.file_id)
        # In this order: once the upload is aborted, a finisher that comes late can't make the object any more.
        await self._objects.abort(StoreUpload(key, upload.store_upload, upload.part_size))
        await self._objects.delete(key)
        await self._files.cleaned(upload.upload_id, Timestamp(self._clock() + UPLOAD_LIFETIME))
