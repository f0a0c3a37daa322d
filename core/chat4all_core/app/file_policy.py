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
