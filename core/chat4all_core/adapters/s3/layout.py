"""What everything in the bucket is called.

    <key>                                                    an object; its multipart upload has the same name
    unfinished/<key>/<upload>/tail/<part number>-<tag>       the beginning of a part
    unfinished/<key>/<upload>/segment/<number>               parts beyond those that the multipart upload takes itself
    unfinished/<key>/<upload>/segment-upload/<number>        holds the name of that segment's multipart upload

<upload> is a digest: names of multipart uploads may be longer than an object's may.
"""

import hashlib

from chat4all_core.ports.object_store import StoreUpload

UNFINISHED = "unfinished/"
_SEGMENT_UPLOAD = "segment-upload"


def tail_name(upload: StoreUpload, number: int, tag: str) -> str:
    """A tail of a part."""
    return f"{upload_prefix(upload)}tail/{number}-{tag}"


def segment_name(upload: StoreUpload, segment: int) -> str:
    """A segment."""
    return f"{upload_prefix(upload)}segment/{segment}"


def segment_uploads_prefix(upload: StoreUpload) -> str:
    """What the names of all objects begin with that name the segments' uploads."""
    return f"{upload_prefix(upload)}{_SEGMENT_UPLOAD}/"


def segment_upload_name(upload: StoreUpload, segment: int) -> str:
    """The object that names a segment's upload."""
    return f"{segment_uploads_prefix(upload)}{segment}"


def segment_of(name: str) -> str | None:
    """The segment whose upload is named by the object of this name; None when it is another kind of object."""
    upload, kind, number = name.rsplit("/", 2)
    return f"{upload}/segment/{number}" if kind == _SEGMENT_UPLOAD else None


def upload_prefix(upload: StoreUpload) -> str:
    """What the names of all objects of an upload begin with."""
    digest = hashlib.sha256(upload.store_upload.encode()).hexdigest()[:32]
    return f"{unfinished_prefix(upload.key)}{digest}/"


def unfinished_prefix(key: str) -> str:
    """What the names of all objects of a key's uploads begin with; other keys' may begin so, too."""
    return f"{UNFINISHED}{key}/"


def unfinished_key(name: str) -> str | None:
    """The key that an object in the making has something to do with; None for a finished one."""
    if not name.startswith(UNFINISHED):
        return None
    return name.removeprefix(UNFINISHED).rsplit("/", 3)[0]
