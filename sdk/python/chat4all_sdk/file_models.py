"""The values that the client gives out about files. All of them are immutable."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

__all__ = ["DownloadUrl", "File", "FileState", "OnProgress", "TransferProgress", "Upload"]


class FileState(StrEnum):
    """How far a file has come."""

    UNSPECIFIED = "UNSPECIFIED"
    """A state that this release of the client does not know."""
    PENDING = "PENDING"
    """Its upload is not finished: nobody can read it yet."""
    AVAILABLE = "AVAILABLE"
    DELETED = "DELETED"


@dataclass(frozen=True, slots=True)
class File:
    """A file of a conversation.

    `size_bytes` is 0 and `sha256` (hexadecimal) empty while it is PENDING. `sha256_verified` is False when
    the sum is but its uploader's word, after a direct upload of which the platform did not read the bytes.
    `mime_type` is never to be trusted for display.
    """

    file_id: str
    conversation_id: str
    filename: str
    size_bytes: int
    mime_type: str
    sha256: str
    state: FileState
    create_time: datetime
    owner: str
    sha256_verified: bool


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload under way; its `upload_id` is what it can be resumed by.

    `committed_size` counts the bytes that the platform would not lose in a crash (0 for a direct upload),
    `size_bytes` is None when the size is not known yet, and it is given up at `expire_time`.
    """

    upload_id: str
    file_id: str
    committed_size: int
    chunk_size: int
    max_size: int
    size_bytes: int | None
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class DownloadUrl:
    """Where anyone may download a file with HTTP GET, without a token, until `expire_time`."""

    url: str
    expire_time: datetime


@dataclass(frozen=True, slots=True)
class TransferProgress:
    """How many bytes are through; `total` is None when it is not known. After a cut `done` may go back."""

    done: int
    total: int | None


OnProgress: TypeAlias = Callable[[TransferProgress], None]
"""Called after every chunk; it must be quick."""
