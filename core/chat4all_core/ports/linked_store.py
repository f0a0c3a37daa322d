"""Object stores whose URLs lead back to the platform's own HTTP port."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

PATH = "/v1/blobs/"
"""What such a URL's path begins with; its token follows."""


@dataclass(frozen=True, slots=True)
class LinkedObject:
    """What a URL to download from leads to."""

    key: str
    size: int
    filename: str
    mime_type: str


class LinkedStore(Protocol):
    """Tokens are signed: they can't be made or changed by anybody else."""

    async def open_link(self, token: str) -> LinkedObject:
        """What the token of `ObjectStore.presign_get` leads to; its bytes are read by `ObjectStore.read`.

        Raises:
            PermissionDeniedError: LINK_INVALID.
            NotFoundError: FILE_NOT_FOUND: the object is gone.
        """
        ...

    async def receive_part(self, token: str, length: int | None, chunks: AsyncIterator[bytes]) -> None:
        """Store a part that comes by a URL of `ObjectStore.presign_part`, durably. Bytes that are not all there leave
        no part.

        Args:
            token: of the URL.
            length: what the request says of its length, if it does.
            chunks: the bytes; raises when the request is cut.

        Raises:
            PermissionDeniedError: LINK_INVALID.
            InvalidArgumentError: SIZE_EXCEEDED, or FIELD_INVALID: there are more or fewer bytes than the part has.
            FailedPreconditionError: UPLOAD_CLOSED.
            UnavailableError: the store can't take it now.
        """
        ...
