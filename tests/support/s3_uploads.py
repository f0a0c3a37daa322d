"""Uploads to a bucket."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from file_service import FileService, open_file_service_on
from s3_store import open_store

from chat4all_core.app.memory_budget import MemoryBudget
from chat4all_core.config import S3Section
from chat4all_core.domain.upload import Part
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.object_store import ObjectStore, StoreUpload

PART_SIZE = 5 << 20
"""The least that S3 takes of all parts but the last."""


@asynccontextmanager
async def open_service(section: S3Section, folder: Path, **options: object) -> AsyncIterator[FileService]:
    """The use cases of files on a bucket."""
    async with (
        open_store(section, system_clock) as store,
        open_file_service_on(store, folder, part_size=PART_SIZE, budget=MemoryBudget(64 << 20), **options) as service,
    ):
        yield service


async def begin(store: ObjectStore, key: str) -> StoreUpload:
    """An upload that was begun."""
    return StoreUpload(key, await store.begin(key, PART_SIZE), PART_SIZE)


async def put_all(store: ObjectStore, upload: StoreUpload, data: bytes) -> Sequence[Part]:
    """Every part of some bytes."""
    pieces = [data[start : start + PART_SIZE] for start in range(0, len(data), PART_SIZE)]
    return [Part(n, len(piece), await store.put_part(upload, n, [piece])) for n, piece in enumerate(pieces, 1)]


async def make(store: ObjectStore, key: str, data: bytes) -> StoreUpload:
    """An object."""
    upload = await begin(store, key)
    await store.complete(upload, await put_all(store, upload, data), len(data))
    return upload


async def read(store: ObjectStore, key: str, size: int) -> bytes:
    """The first bytes of an object."""
    return b"".join([piece async for piece in store.read(key, 0, size)])
