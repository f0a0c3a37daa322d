"""What a file is said to be, against what its first bytes give away."""

from chat4all_core.domain.errors import FailedPreconditionError, Reason
from chat4all_core.domain.file import UNKNOWN_TYPE

# Where bytes tell for sure. Text, archives and office documents hold each other, and nobody draws them by themselves.
_TELLING = frozenset({"image", "media", "font"})
_KINDS = {"audio": "media", "video": "media"}  # one container holds either


def resolve_mime_type(declared: str, detected: str | None) -> str:
    """The type that a file gets: the declared one, else what was detected.

    Raises:
        FailedPreconditionError: MIME_TYPE_MISMATCH: an image, audio, video or font is said to be another kind of
            these, or something else is said to be one.
    """
    if declared in ("", UNKNOWN_TYPE):
        return detected or UNKNOWN_TYPE
    if detected is not None and _kind(declared) in _TELLING and _kind(declared) != _kind(detected):
        raise FailedPreconditionError(
            Reason.MIME_TYPE_MISMATCH, f"the bytes are {detected}, not {declared}", {"mime_type": detected}
        )
    return declared


def _kind(mime_type: str) -> str:
    major = mime_type.partition("/")[0]
    return _KINDS.get(major, major)
