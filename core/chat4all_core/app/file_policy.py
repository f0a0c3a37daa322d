"""What an installation allows in matters of files."""

from dataclasses import dataclass

from chat4all_core.domain.file import MAX_FILE_BYTES
from chat4all_core.ports.file_store import Quota


@dataclass(frozen=True, slots=True)
class FilePolicy:
    """Limits and times."""

    quota: Quota
    max_file_bytes: int = MAX_FILE_BYTES
    link_seconds: int = 3_600
    """How long a URL to download from may be used."""
    part_link_seconds: int = 12 * 3_600
    """How long a URL for a part of a direct upload may be used."""
    hand_over_seconds: float = 2.0
    """How long whoever goes on with an upload waits for the one before, in another process, to record what it has."""
    patience_seconds: float = 20.0
    """How long a writer waits for a store that is away, with what it has in memory, before it gives up."""
