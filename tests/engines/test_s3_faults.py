"""Files on an S3 store that dies, freezes and comes back."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from file_service import ANN, ROOM
from s3_store import open_store
from s3_uploads import PART_SIZE, begin, open_service
from tools.engines import Engines

from chat4all_core.adapters.s3.errors import S3RefusedError
from chat4all_core.adapters.s3.s3_object_store import S3ObjectStore
from chat4all_core.adapters.s3.setup import create_bucket
from chat4all_core.app.create_upload import NewFile
from chat4all_core.app.file_policy import FilePolicy
from chat4all_core.app.write_upload import Chunk, Write
from chat4all_core.config import S3Section
from chat4all_core.domain.errors import Reason, UnavailableError
from chat4all_core.domain.upload import Part
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.file_store import Quota
from chat4all_core.ports.object_store import ObjectStore
from chat4all_core.setting import Secret

CHUNK = 1 << 20


async def test_a_writer_waits_for_a_store_that_comes_back(
    s3_engines: Engines, s3_engine: str, s3_section: S3Section, tmp_path: Path
) -> None:
    """While the store is killed and started again nothing that was sent is lost: its client notices nothing."""
    data = random.Random(3).randbytes(4 * PART_SIZE + 1_000)

    async def stream() -> AsyncIterator[Chunk]:
        for start in range(0, len(data), CHUNK):
            if start == 2 * PART_SIZE:
                s3_engines.kill(s3_engine)
                restarted.append(asyncio.create_task(asyncio.to_thread(s3_engines.start, s3_engine)))
            yield Chunk(data[start : start + CHUNK])

    restarted: list[asyncio.Task[None]] = []
    policy = FilePolicy(Quota(1 << 30, 1_000), patience_seconds=120)
    async with open_service(s3_section, tmp_path, policy=policy) as service:
        upload, _ = await service.create(ANN, NewFile(ROOM, "f", size=len(data)))
        _, file = await service.write(ANN, Write(upload.upload_id, 0), stream())
        await asyncio.gather(*restarted)
        assert file is not None
        assert await service.bytes_of(file) == data


async def test_an_upload_outlives_the_store_that_is_killed_in_the_middle_of_a_part(
    s3_engines: Engines, s3_engine: str, s3_section: S3Section, tmp_path: Path
) -> None:
    """What was committed before is there after the restart, and the upload goes on from there."""
    data = random.Random(2).randbytes(4 * PART_SIZE + 1_000)

    async def stream() -> AsyncIterator[Chunk]:
        for start in range(0, len(data), CHUNK):
            if start == 4 * PART_SIZE:  # three parts may be unrecorded, and a fourth was just handed to the store
                s3_engines.kill(s3_engine)
            yield Chunk(data[start : start + CHUNK])

    async with open_service(s3_section, tmp_path) as service:
        upload, _ = await service.create(ANN, NewFile(ROOM, "f", size=len(data)))
        with pytest.raises(UnavailableError):
            await service.write(ANN, Write(upload.upload_id, 0), stream())
        s3_engines.start(s3_engine)
        known, _ = await service.get_upload(ANN, upload.upload_id)
        committed = known.committed_size
        assert committed >= PART_SIZE

        async def rest() -> AsyncIterator[Chunk]:
            for start in range(committed, len(data), CHUNK):
                yield Chunk(data[start : start + CHUNK])

        _, file = await service.write(ANN, Write(upload.upload_id, committed), rest())
        assert file is not None
        assert await service.bytes_of(file) == data


async def test_a_store_that_hangs_is_given_up_and_used_again(
    s3_engines: Engines, s3_engine: str, s3_section: S3Section
) -> None:
    """Every call ends in time, as UNAVAILABLE, and the same call does its work once the store answers again."""
    create_bucket(s3_section)
    impatient = replace(s3_section, timeout_seconds=0.5)
    async with aclosing(S3ObjectStore(impatient, system_clock)) as store, asyncio.timeout(60):
        await until_there(lambda: store.begin("files/a", PART_SIZE))
        s3_engines.pause(s3_engine)
        try:
            calls = (store.begin("files/b", PART_SIZE), store.delete("files/a"), anext(store.read("files/a", 0, 1)))
            for error in await asyncio.gather(*calls, return_exceptions=True):
                assert isinstance(error, UnavailableError)
                assert error.reason is Reason.UNAVAILABLE
        finally:
            s3_engines.resume(s3_engine)
        assert await until_there(lambda: store.begin("files/b", PART_SIZE))


async def until_there(call: Callable[[], Awaitable[str]]) -> str:
    """The same call again and again: a store on a busy machine may take longer than the test's patience."""
    while True:
        with suppress(UnavailableError):
            return await call()


async def test_a_reader_is_told_that_the_store_died(s3_engines: Engines, s3_engine: str, s3_section: S3Section) -> None:
    """Bytes that are cut off never look like the end of the object."""
    async with open_store(s3_section, system_clock) as store:
        size = 64 << 20
        upload = await begin(store, "files/a")
        await store.complete(upload, [Part(1, size, await store.put_part(upload, 1, [bytes(size)]))], size)
        pieces = store.read("files/a", 0, size)
        await anext(pieces)
        s3_engines.kill(s3_engine)
        try:
            with pytest.raises(UnavailableError):
                [piece async for piece in pieces]
        finally:
            s3_engines.start(s3_engine)
        assert sum([len(piece) async for piece in store.read("files/a", 0, size)]) == size


async def test_a_store_that_is_not_there_or_refuses_is_told(s3_store: ObjectStore, s3_section: S3Section) -> None:
    """At the start: a wrong key and a missing bucket are mistakes, a store that can't be reached may come."""
    for wrong in ({"secret_key": Secret("wrong")}, {"bucket": "no-such-bucket"}):
        with pytest.raises(S3RefusedError):
            await checked(replace(s3_section, **wrong))
    with pytest.raises(UnavailableError):
        await checked(replace(s3_section, endpoint_url="http://127.0.0.1:1"))


async def checked(section: S3Section) -> None:
    store = S3ObjectStore(section, system_clock)
    try:
        await store.check()
    finally:
        await store.aclose()
