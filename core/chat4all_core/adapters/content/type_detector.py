"""Types of files by their first bytes, with the signatures of the package filetype."""

import filetype  # type: ignore[import-untyped]  # it has no types


def detect_type(sample: bytes) -> str | None:
    """Implements TypeDetector."""
    detected: str | None = filetype.guess_mime(sample)
    return detected
