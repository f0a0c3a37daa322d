"""The files of deliveries."""

from collections.abc import AsyncIterator

from chat4all_core.domain.file import Attachment, object_key
from chat4all_core.ports.object_store import ObjectStore


class DeliveryFiles:
    """Gives out the bytes of files that messages carry, to channels and to people there."""

    def __init__(self, objects: ObjectStore, link_seconds: int) -> None:
        self._objects = objects
        self._link_seconds = link_seconds

    async def link(self, file: Attachment) -> str:
        """A URL to download it from, without a token, for some time.

        Raises:
            UnavailableError: the store can't serve now.
        """
        return await self._objects.presign_get(
            object_key(file.file_id), file.filename, file.mime_type, self._link_seconds
        )

    def content(self, file: Attachment) -> AsyncIterator[bytes]:
        """Its bytes."""
        return self._objects.read(object_key(file.file_id), 0, file.size)
