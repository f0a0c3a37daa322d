"""Files that were uploaded or sent, for as long as the service keeps them."""

import base64
import hashlib
from dataclasses import dataclass

from .bounded import Bounded
from .clock import Now


@dataclass(frozen=True, slots=True)
class MediaFacts:
    """What is known about some bytes."""

    mime_type: str
    size: int
    sha256: str
    """In hexadecimal."""
    filename: str | None = None


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """A file."""

    id: str
    owner: str
    """The account that may read it."""
    facts: MediaFacts
    content: bytes
    expires_at: float

    @property
    def sha256_base64(self) -> str:
        """The hash as webhooks give it."""
        return base64.b64encode(bytes.fromhex(self.facts.sha256)).decode()


def facts_of(content: bytes, mime_type: str, filename: str | None = None) -> MediaFacts:
    """What there is to know about some bytes."""
    return MediaFacts(mime_type, len(content), hashlib.sha256(content).hexdigest(), filename)


class MediaStore:
    """Files in memory, at most `max_bytes` of them: the ones that were used longest ago are forgotten."""

    def __init__(self, max_bytes: int, now: Now) -> None:
        self._max_bytes = max_bytes
        self._now = now
        self._files: Bounded[str, StoredMedia] = Bounded(100_000)
        self._bytes = 0

    def put(
        self, media_id: str, owner: str, content: bytes, mime_type: str, lifetime: float, filename: str | None = None
    ) -> StoredMedia:
        """Keep a file for so many seconds."""
        stored = StoredMedia(media_id, owner, facts_of(content, mime_type, filename), content, self._now() + lifetime)
        self.remove(media_id)
        self._files.put(media_id, stored)
        self._bytes += len(content)
        for oldest in self._files:
            if self._bytes <= self._max_bytes or oldest is stored:
                break
            self.remove(oldest.id)
        return stored

    def get(self, media_id: str) -> StoredMedia | None:
        """A file that did not expire."""
        stored = self._files.get(media_id)
        if stored is not None and stored.expires_at <= self._now():
            self.remove(media_id)
            return None
        return stored

    def remove(self, media_id: str) -> bool:
        """Delete a file; False when there is none."""
        removed = self._files.remove(media_id)
        if removed is not None:
            self._bytes -= len(removed.content)
        return removed is not None
