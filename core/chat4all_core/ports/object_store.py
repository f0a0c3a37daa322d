"""Where the bytes of files lie.

An object is made in parts and appears whole, under its key, when it is completed. Part k is always the bytes from
(k - 1) * part_size on; every part but the last has part_size bytes (8 MiB to 64 MiB, fixed when the upload begins).
A file of 5 TiB has up to 655,360 parts: a store whose own limit is lower (S3: 10,000 in one multipart upload) makes
several objects of them and joins those when it completes.

Durable means that it survives a crash of this process, and of the store as far as the store promises.
"""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.domain.upload import Part


@dataclass(frozen=True, slots=True)
class StoreUpload:
    """An object in the making."""

    key: str
    """The object that it will be. No two uploads share a key, and a key is never used again."""
    store_upload: str
    """The store's own name for it, from `begin`. At most 1,024 characters."""
    part_size: int


@dataclass(frozen=True, slots=True)
class Leftover:
    """Something that lies in the store."""

    key: str
    """That of the object that it is, or would have become."""
    finished: bool
    """Whether it is the object; otherwise what there is of one in the making, tails among it."""
    stored_at: Timestamp
    """When the store last heard of it, by the store's clock."""


class ObjectStore(Protocol):
    """Every method may be called by several processes at once. Those that name an upload raise
    ObjectContradictionError when it is gone, unless they say otherwise. Besides, each raises UnavailableError when the
    store can't be had or can't do it now (reason STORAGE_FULL when it has no room, else UNAVAILABLE); the
    same call may be made again then. What was durable before stays."""

    async def begin(self, key: str, part_size: int) -> str:
        """Begin an upload; returns `store_upload`."""
        ...

    async def put_part(self, upload: StoreUpload, number: int, data: Sequence[bytes]) -> str:
        """Store a part durably; returns its tag.

        Storing a number again replaces the part. `complete` is given the tags of the parts to take, so that a writer
        that wakes up late can't slip its bytes in unseen.

        Args:
            upload: that was begun.
            number: from 1 on, in any order.
            data: the part's bytes in pieces, part_size in all; fewer only in the object's last part.
        """
        ...

    async def put_tail(self, upload: StoreUpload, number: int, data: Sequence[bytes]) -> str:
        """Store the beginning of a part durably, for whoever goes on with it; returns its tag. It is no part, so
        `complete` pays no heed to it. Several tails of one part may lie there at a time.

        Args:
            upload: that was begun.
            number: of the part that begins with these bytes.
            data: its bytes in pieces, fewer than part_size in all.
        """
        ...

    async def read_tail(self, upload: StoreUpload, number: int, tag: str, size: int) -> bytes:
        """The tail with this tag, of this many bytes."""
        ...

    async def drop_tail(self, upload: StoreUpload, number: int, tag: str) -> None:
        """Remove a tail that nobody will read. Nothing happens when there is none, nor need anything."""
        ...

    async def stored_parts(self, upload: StoreUpload) -> Mapping[int, Part]:
        """The parts that came by the URLs of `presign_part` and are durable, by number. Others may be among them."""
        ...

    async def complete(self, upload: StoreUpload, parts: Sequence[Part], size: int) -> None:
        """Make the object of exactly these parts, durably and at once: readers see all of it or nothing. No parts make
        an empty object. Whatever else the upload left (tails among it) is removed, or is found by `leftovers`.

        Completing again changes nothing: when the upload is gone, the object under its key is looked for.

        Raises:
            ObjectContradictionError: a part is not there, or has another tag or size; or neither upload nor object
                exist.
        """
        ...

    async def abort(self, upload: StoreUpload) -> None:
        """Remove an upload with all that is stored of it. A completed object stays. Nothing happens when it is gone; a
        part whose storing is under way may be left, and is found by `leftovers`."""
        ...

    async def delete(self, key: str) -> None:
        """Remove an object. Nothing happens when there is none."""
        ...

    def read(self, key: str, start: int, end: int) -> AsyncGenerator[bytes, None]:
        """The bytes of an object with start <= index < end, in pieces of at most 1 MiB, as they are asked for.
        Whoever stops early closes the iterator (`aclose`).

        Raises:
            ObjectContradictionError: there is no such object, or it ends before `end`.
        """
        ...

    async def presign_part(self, upload: StoreUpload, number: int, size: int, lifetime: int) -> str:
        """A URL to which anybody may PUT the part's bytes, exactly `size` of them, for `lifetime` seconds."""
        ...

    async def presign_get(self, key: str, filename: str, mime_type: str, lifetime: int) -> str:
        """A URL from which anybody may GET the object for `lifetime` seconds, by Range too, valid from outside of the
        platform's network. The answer's Content-Type is the type given, and its
        Content-Disposition is `attachment` with the name (RFC 6266)."""
        ...

    def leftovers(self) -> AsyncIterator[Leftover]:
        """Everything that lies in the store, in any order; what comes or goes meanwhile may be missed. Several entries
        may have one key."""
        ...

    async def remove_unfinished(self, key: str) -> None:
        """Remove every upload of a key and every tail; the object stays. Nothing happens when there is nothing."""
        ...


class ObjectContradictionError(Exception):
    """What was recorded and what lies in the store contradict each other."""
