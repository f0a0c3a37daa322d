"""What kind of file bytes are."""

from collections.abc import Callable

TypeDetector = Callable[[bytes], str | None]
"""The media type that a file's first bytes (SAMPLE_BYTES, or the whole file if it has fewer) give away, or None."""

SAMPLE_BYTES = 1_024
