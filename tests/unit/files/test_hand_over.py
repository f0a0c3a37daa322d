"""Uploads that another process goes on with."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from file_service import ANN, ROOM, FileService, TestClock, make_rooms, open_file_service, stream

from chat4all_core.adapters.folder.folder_object_store import FolderObjectStore
from chat4all_core.adapters.folder.link import LinkSigner
from chat4all_core.adapters.sqlite.engine import open_engine
from chat4all_core.app.create_upload import NewFile
from chat4all_core.app.file_policy import FilePolicy
from chat4all_core.app.write_upload import Chunk, Write
from chat4all_core.domain.errors import AbortedError, Reason
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.domain.upload import Holding, Upload
from chat4all_core.ports.file_store import Quota
from chat4all_core.ports.object_store import StoreUpload

DATA = bytes(range(256)) * 2  # eight parts of 64 bytes


class GatedStore(FolderObjectStore):
    """Stores no tail before it is let."""

    gate: asyncio.Event

    async def put_tail(self, upload: StoreUpload, number: int, data: Sequence[bytes]) -> str:
        await self.gate.wait()
        return await super().put_tail(upload, number, data)


def process_like(first: FileService, wait_seconds: float) -> FileService:
    """Another process, which waits for so long."""
    policy = FilePolicy(Quota(1 << 30, 1_000), hand_over_seconds=wait_seconds)
    return FileService(first.engine, first.objects, first.clock, policy)


async def begin(service: FileService) -> Upload:
    upload, _ = await service.create(ANN, NewFile(ROOM, "f", size=len(DATA)))
    return upload


async def test_a_writer_that_is_asked_ends_with_all_it_has(tmp_path: Path) -> None:
    """A client that comes to another process goes on behind the last byte that the first one took."""
    async with open_file_service(tmp_path) as service, asyncio.timeout(60):
        upload, arrived = await begin(service), asyncio.Event()

        async def silent() -> AsyncIterator[Chunk]:
            yield Chunk(DATA[:150])
            arrived.set()
            await asyncio.Event().wait()

        first = asyncio.create_task(service.write(ANN, Write(upload.upload_id, 0), silent()))
        await arrived.wait()
        other = process_like(service, wait_seconds=60)
        _, file = await other.write(ANN, Write(upload.upload_id, 150), stream(DATA[150:]))
        assert file is not None
        assert await other.bytes_of(file) == DATA
        with pytest.raises(AbortedError) as caught:
            await first
        assert caught.value.reason is Reason.UPLOAD_TAKEN_OVER
        assert caught.value.metadata["committed_size"] == "150"


async def test_who_looks_sees_the_bytes_of_a_stream_that_has_just_ended(tmp_path: Path) -> None:
    """While they are being stored, the answer waits; what it says then is where the client goes on."""
    async with open_engine(tmp_path, clock := TestClock()) as engine, asyncio.timeout(60):
        store = await GatedStore.open(tmp_path / "files", LinkSigner(b"k" * 32, clock), clock, "http://localhost:8080")
        store.gate = asyncio.Event()
        await make_rooms(engine)
        service = FileService(engine, store, clock)
        upload = await begin(service)
        cut = stream(DATA[:150], cut=ConnectionResetError())
        first = asyncio.create_task(service.write(ANN, Write(upload.upload_id, 0), cut))
        while (await engine.files.get_upload(upload.upload_id)).holding is not Holding.ENDING:  # type: ignore[union-attr]  # it was created
            await asyncio.sleep(0)
        looking = asyncio.create_task(process_like(service, wait_seconds=60).get_upload(ANN, upload.upload_id))
        impatient, _ = await process_like(service, wait_seconds=0).get_upload(ANN, upload.upload_id)
        assert impatient.committed_size < 150
        assert not looking.done()
        store.gate.set()
        seen, _ = await looking
        assert (seen.committed_size, seen.holding) == (150, Holding.NOTHING)
        with pytest.raises(ConnectionResetError):
            await first
        await store.aclose()


async def test_a_dead_writer_is_waited_for_no_longer_than_that(tmp_path: Path) -> None:
    """A record that says that somebody writes, who does not, holds up nobody for ever."""
    async with open_file_service(tmp_path) as service, asyncio.timeout(60):
        upload = await begin(service)
        later = Timestamp(service.clock() + 3_600 * SECOND)
        assert await service.engine.files.take(upload.upload_id, 0, later, declared_size=len(DATA), direct=False)
        _, file = await process_like(service, 0.2).write(ANN, Write(upload.upload_id, 0), stream(DATA))
        assert file is not None
        assert await service.bytes_of(file) == DATA


async def test_a_process_of_its_own_waits_for_nobody_before_it(tmp_path: Path) -> None:
    """Where the data are one process's alone, the writers of the one before are gone when it opens them."""
    async with open_file_service(tmp_path) as service:
        upload = await begin(service)
        later = Timestamp(service.clock() + 3_600 * SECOND)
        taken = await service.engine.files.take(upload.upload_id, 0, later, declared_size=len(DATA), direct=False)
        assert taken is not None
        assert taken.holding is Holding.WRITING
    async with open_file_service(tmp_path) as service:
        known, _ = await service.get_upload(ANN, upload.upload_id)
        assert known.holding is Holding.NOTHING
