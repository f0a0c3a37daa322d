"""Files: what one is, and the rules for the names and types that people give them."""

import json
import re
import unicodedata
from dataclasses import asdict, dataclass
from enum import IntEnum

from chat4all_core.domain.errors import invalid_field
from chat4all_core.domain.ids import ConversationId, FileId, UserId
from chat4all_core.domain.timestamp import Timestamp

MAX_FILE_BYTES = 5 << 40
"""5 TiB: the largest object that S3 stores."""

MAX_FILENAME_BYTES = 255
"""What the file systems that people save to allow."""

UNKNOWN_TYPE = "application/octet-stream"

_MIME_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}")  # RFC 6838, section 4.2
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")
_NAMELESS = "file"
_PREFIX = "files/"


class FileState(IntEnum):
    """How far a file has come. Values are those of the contract."""

    PENDING = 1
    AVAILABLE = 2
    DELETED = 3


@dataclass(frozen=True, slots=True)
class File:
    """A file of a conversation. Size and sum are those of what arrived, and 0 and empty while it is PENDING."""

    file_id: FileId
    conversation_id: ConversationId
    owner: UserId
    filename: str
    mime_type: str
    """Without parameters, in lower case. Never to be trusted for display."""
    created_at: Timestamp
    state: FileState = FileState.PENDING
    size: int = 0
    sha256: str = ""
    """In hexadecimal, lower case."""
    sha256_verified: bool = False
    """Whether the platform computed it from the bytes; otherwise it is the uploader's word."""

    @property
    def object_key(self) -> str:
        """What the object store calls its bytes."""
        return object_key(self.file_id)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file as a message carries it: all that showing it needs, so that nothing has to be looked up."""

    file_id: FileId
    filename: str
    size: int
    mime_type: str
    sha256: str


def encode_attachment(attachment: Attachment) -> str:
    """An attachment as JSON, for stores that keep it in one column."""
    return json.dumps(asdict(attachment), ensure_ascii=False, separators=(",", ":"))


def decode_attachment(text: str) -> Attachment:
    """The reverse of `encode_attachment`."""
    return Attachment(**json.loads(text))


def object_key(file_id: FileId) -> str:
    """The name of a file's bytes in the object store: no two files ever share one."""
    return f"{_PREFIX}{file_id}"


def file_id_of(key: str) -> FileId | None:
    """The reverse of `object_key`; None when it is the name of something else."""
    return FileId(key.removeprefix(_PREFIX)) if key.startswith(_PREFIX) else None


def clean_filename(name: str) -> str:
    """The name without folders and control characters, cut to MAX_FILENAME_BYTES with its extension kept. Letters of
    every script stay as they are. What is left of nothing is "file"."""
    last = re.split(r"[/\\]", name)[-1]
    kept = "".join(c for c in last if not _is_control(c)).strip().lstrip(".").rstrip(". ")
    return _shortened(kept.strip()) or _NAMELESS


def check_mime_type(mime_type: str) -> str:
    """The type without parameters, in lower case; empty when none was given.

    Raises:
        InvalidArgumentError: it is none.
    """
    essence = mime_type.partition(";")[0].strip().lower()
    if essence and not _MIME_TYPE.fullmatch(essence):
        raise invalid_field("mime_type", "must be a media type, such as image/png")
    return essence


def check_sha256(sha256: str) -> str:
    """The sum in lower case; empty when none was given.

    Raises:
        InvalidArgumentError: it is none.
    """
    if sha256 and not _SHA256.fullmatch(sha256):
        raise invalid_field("sha256", "must be 64 hexadecimal digits")
    return sha256.lower()


def _is_control(character: str) -> bool:
    # Cc: controls, NUL and line ends among them. Cs: halves of pairs, which UTF-8 can't hold. Cf holds the marks that
    # turn the direction of writing, by which gpj.exe is shown as exe.jpg - and joiners that scripts and emoji need.
    category = unicodedata.category(character)
    return category in ("Cc", "Cs", "Zl", "Zp") or (category == "Cf" and character not in "\u200c\u200d")


def _shortened(name: str) -> str:
    if len(name.encode()) <= MAX_FILENAME_BYTES:
        return name
    stem, dot, extension = name.rpartition(".")
    ending = f"{dot}{extension}".encode()
    if not stem or len(ending) > 32:  # no extension that anybody knows is as long
        stem, ending = name, b""
    return stem.encode()[: MAX_FILENAME_BYTES - len(ending)].decode(errors="ignore") + ending.decode()
