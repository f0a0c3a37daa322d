"""Where everything lies in the folder.

    objects/<2 hexadecimal digits>/<key>            an object
    uploads/<key>/<store upload>/content            an upload: parts and tail, each at its place in the object to be
    uploads/<key>/<store upload>/parts              parts that came by URL: a line "<number> <size>" each

Keys are percent-encoded, so that each is one name.
"""

import hashlib
import re
from pathlib import Path
from urllib.parse import quote, unquote

from chat4all_core.ports.object_store import ObjectContradictionError, StoreUpload

_STORE_UPLOAD = re.compile(r"[0-9a-f]{32}")


class Layout:
    """Paths below one root."""

    def __init__(self, root: Path) -> None:
        self.objects = root / "objects"
        self.uploads = root / "uploads"

    def object(self, key: str) -> Path:
        """An object, or where it will be."""
        # Spread over 256 folders, for tools that people use dislike folders of a million files.
        return self.objects / hashlib.sha256(key.encode()).hexdigest()[:2] / _name(key)

    def uploads_of(self, key: str) -> Path:
        """The folder of all uploads of a key."""
        return self.uploads / _name(key)

    def upload(self, upload: StoreUpload) -> Path:
        """The folder of an upload."""
        if not _STORE_UPLOAD.fullmatch(upload.store_upload):
            raise ObjectContradictionError(f"{upload.store_upload!r} is no upload of this store")
        return self.uploads_of(upload.key) / upload.store_upload

    def content(self, upload: StoreUpload) -> Path:
        """The bytes of an upload."""
        return self.upload(upload) / "content"

    def parts(self, upload: StoreUpload) -> Path:
        """The list of its parts that came by URL."""
        return self.upload(upload) / "parts"


def key_of(name: str) -> str:
    """The key that an object's file, or a folder of uploads, is named after."""
    return unquote(name)


def _name(key: str) -> str:
    name = quote(key, safe="")
    if not key or key in (".", "..") or len(name) > 255:
        raise ValueError(f"{key!r} can't be a key")
    return name
