"""Objects of more parts than one multipart upload takes."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
from s3_store import open_store
from s3_uploads import PART_SIZE, begin, put_all, read

from chat4all_core.adapters.s3.segments import SegmentPlan
from chat4all_core.config import S3Section
from chat4all_core.domain.upload import Part
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.object_store import ObjectContradictionError, ObjectStore

PLAN = SegmentPlan(direct_parts=1, segment_parts=2, least_copy=1)
DATA = random.Random(3).randbytes(5 * PART_SIZE + 1_000)


@pytest.fixture
async def store(s3_section: S3Section) -> AsyncIterator[ObjectStore]:
    """A store with segments of two parts."""
    async with open_store(s3_section, system_clock, PLAN) as store:
        yield store


async def names(store: ObjectStore) -> set[tuple[str, bool]]:
    return {(left.key, left.finished) async for left in store.leftovers()}


async def test_segments_are_joined(store: ObjectStore) -> None:
    """The object is its parts in order, however many there are; completing again changes nothing; nothing is left."""
    upload = await begin(store, "files/a")
    parts = await put_all(store, upload, DATA)
    for _ in range(2):
        await store.complete(upload, parts, len(DATA))
        assert await read(store, "files/a", len(DATA)) == DATA
    assert await names(store) == {("files/a", True)}


async def test_writers_of_several_processes_agree_on_segments(store: ObjectStore, s3_section: S3Section) -> None:
    """Parts that come at once from two processes, none of which knows of the other, make up one object."""
    upload = await begin(store, "files/a")
    pieces = [DATA[start : start + PART_SIZE] for start in range(0, len(DATA), PART_SIZE)]
    async with open_store(s3_section, system_clock, PLAN) as other:
        tags = await asyncio.gather(
            *((store, other)[n % 2].put_part(upload, n, [piece]) for n, piece in enumerate(pieces, 1))
        )
    parts = await store.stored_parts(upload)
    assert {n: part.tag for n, part in parts.items()} == dict(enumerate(tags, 1))
    await store.complete(upload, [parts[n] for n in sorted(parts)], len(DATA))
    assert await read(store, "files/a", len(DATA)) == DATA


async def test_an_upload_with_segments_can_be_removed(store: ObjectStore) -> None:
    """Aborted, or found as a leftover, it leaves nothing, and takes nothing that comes late."""
    for key in ("files/a", "files/a/b"):
        upload = await begin(store, key)
        await put_all(store, upload, DATA)
        if key == "files/a":
            await store.abort(upload)
        else:
            await store.remove_unfinished("files/a")
            assert (key, False) in await names(store)
            await store.remove_unfinished(key)
        assert await names(store) == set()
        with pytest.raises(ObjectContradictionError):
            await store.put_part(upload, 6, [b"late"])


async def test_a_part_of_a_segment_that_is_another_is_refused(store: ObjectStore) -> None:
    """Parts beyond those of the object's own upload are taken by their tags, too."""
    upload = await begin(store, "files/a")
    parts = list(await put_all(store, upload, DATA))
    parts[3] = Part(4, PART_SIZE, parts[2].tag)
    with pytest.raises(ObjectContradictionError):
        await store.complete(upload, parts, len(DATA))
    assert ("files/a", True) not in await names(store)
