"""Which files WhatsApp takes, and how large."""

from collections.abc import Mapping

_MB = 1 << 20

MIME_TYPES: Mapping[str, str] = {
    "audio/aac": "audio",
    "audio/amr": "audio",
    "audio/mp4": "audio",
    "audio/mpeg": "audio",
    "audio/ogg": "audio",
    "audio/opus": "audio",
    "application/msword": "document",
    "application/pdf": "document",
    "application/vnd.ms-excel": "document",
    "application/vnd.ms-powerpoint": "document",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": "document",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "document",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "document",
    "text/plain": "document",
    "image/jpeg": "image",
    "image/png": "image",
    "image/webp": "sticker",
    "video/3gpp": "video",
    "video/mp4": "video",
}
"""The type of message that each goes into. Any of them may also be sent as a document."""

CAPS: Mapping[str, int] = {
    "audio": 16 * _MB,
    "document": 100 * _MB,
    "image": 5 * _MB,
    "sticker": 500 * 1024,
    "video": 16 * _MB,
}
"""Bytes at most, for each type of message."""


def problem_with(mime_type: str, size: int, kind: str) -> str | None:
    """Why a file can't be sent as such a message; None when it can."""
    base = mime_type.partition(";")[0].strip().lower()
    if base not in MIME_TYPES:
        return f"Param file must be a file with one of the following types: {', '.join(MIME_TYPES)}. Received {base!r}."
    if kind not in ("document", MIME_TYPES[base]):
        return f"A file of type {base} can't be sent as {kind}."
    if size > CAPS[kind]:
        return f"The file has {size} bytes; {kind} is limited to {CAPS[kind]} bytes."
    return None
