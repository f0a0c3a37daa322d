"""What the platform is compared with: the same bytes written to, and read from, the same store without it."""

import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from minio import Minio

_PIECE = 1 << 20


class Straight(Protocol):
    """Both block until the bytes are durable, as far as the store promises."""

    name: str

    def up(self, source: Path) -> None:
        """Store a file."""

    def down(self, target: Path) -> None:
        """Read what was stored last."""


class Copies:
    """A folder: files are copied, and synchronised."""

    name = "copy + fsync"

    def __init__(self, folder: Path) -> None:
        self._stored = folder / "copy"

    def up(self, source: Path) -> None:
        """See Straight.up."""
        _copy(source, self._stored)

    def down(self, target: Path) -> None:
        """See Straight.down."""
        _copy(self._stored, target)


class S3Client:
    """An S3 store: the minio package with its own defaults, on a bucket of its own."""

    name = "minio client"

    def __init__(self, client: Minio, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def up(self, source: Path) -> None:
        """See Straight.up."""
        self._client.fput_object(self._bucket, "f", str(source))

    def down(self, target: Path) -> None:
        """See Straight.down."""
        self._client.fget_object(self._bucket, "f", str(target))
        with target.open("rb") as got:
            os.fsync(got.fileno())


@contextmanager
def straight_to(folder: Path, store: Mapping[str, Any] | None) -> Iterator[Straight]:
    """To the store of a platform; what was stored is removed in the end."""
    if store is None:
        yield Copies(folder)
        return
    bucket = f"bench-{secrets.token_hex(6)}"
    endpoint = urlsplit(store["endpoint_url"]).netloc
    client = Minio(endpoint, store["access_key"], store["secret_key"], secure=False, region=store["region"])
    client.make_bucket(bucket)
    yield S3Client(client, bucket)
    client.remove_object(bucket, "f")
    client.remove_bucket(bucket)


def _copy(source: Path, target: Path) -> None:
    with source.open("rb", buffering=0) as read, target.open("wb", buffering=0) as written:
        while piece := read.read(_PIECE):
            written.write(piece)
        os.fsync(written.fileno())
