"""Tokens of URLs: what they lead to, signed."""

import base64
import binascii
import hmac
import json
from dataclasses import asdict, dataclass

from chat4all_core.domain.errors import PermissionDeniedError, Reason
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.clock import Clock

_TAG_BYTES = 32


@dataclass(frozen=True, slots=True)
class DownloadLink:
    """Leads to an object."""

    key: str
    filename: str
    mime_type: str


@dataclass(frozen=True, slots=True)
class PartLink:
    """Leads to a part of an upload."""

    key: str
    store_upload: str
    part_size: int
    number: int
    size: int


Link = DownloadLink | PartLink
_KINDS: dict[str, type[DownloadLink] | type[PartLink]] = {"get": DownloadLink, "put": PartLink}
_NAMES = {kind: name for name, kind in _KINDS.items()}


class LinkSigner:
    """Makes tokens and takes them back."""

    def __init__(self, key: bytes, clock: Clock) -> None:
        self._key = key
        self._clock = clock

    def seal(self, link: Link, expires_at: Timestamp) -> str:
        """A token, of characters that need no escape in a path."""
        body = json.dumps([_NAMES[type(link)], expires_at, asdict(link)], ensure_ascii=False, separators=(",", ":"))
        sealed = self._tag(body.encode()) + body.encode()
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, token: str) -> Link:
        """What is in a token.

        Raises:
            PermissionDeniedError: LINK_INVALID.
        """
        sealed = _decode(token)
        tag, body = sealed[:_TAG_BYTES], sealed[_TAG_BYTES:]
        if not hmac.compare_digest(tag, self._tag(body)):
            raise PermissionDeniedError(Reason.LINK_INVALID, "the link is not one of this platform's")
        name, expires_at, values = json.loads(body)
        if expires_at <= self._clock():
            raise PermissionDeniedError(Reason.LINK_INVALID, "the link's time is over")
        return _KINDS[name](**values)

    def _tag(self, body: bytes) -> bytes:
        return hmac.digest(self._key, b"chat4all link\0" + body, "sha256")


def _decode(token: str) -> bytes:
    try:
        return base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return b""  # no link has this tag
