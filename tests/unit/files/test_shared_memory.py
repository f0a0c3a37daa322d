"""Uploads share the memory that their parts lie in."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from file_service import ANN, ROOM, FileService, open_file_service, stream

from chat4all_core.app.create_upload import NewFile
from chat4all_core.app.memory_budget import MemoryBudget
from chat4all_core.app.upload_session import HOLD_AT_MOST
from chat4all_core.app.write_upload import Chunk, Write
from chat4all_core.domain.file import File
from chat4all_core.domain.timestamp import SECOND

PART = 64
DATA = bytes(range(200))


async def write(service: FileService, upload_id: str, chunks: AsyncIterator[Chunk]) -> File:
    """All bytes of an upload; its file."""
    _, file = await service.write(ANN, Write(upload_id, 0), chunks)
    assert file is not None
    return file


async def new_upload(service: FileService) -> str:
    upload, _ = await service.create(ANN, NewFile(ROOM, "f", size=len(DATA)))
    return upload.upload_id


async def test_who_stalls_gives_way_and_goes_on(tmp_path: Path) -> None:
    """With memory for one part, a client that stalls in the middle of it does not hold another one up: what it sent is
    committed, and it goes on where it stopped."""
    async with open_file_service(tmp_path, part_size=PART, budget=MemoryBudget(PART)) as service:
        slow, fast = await new_upload(service), await new_upload(service)
        began, go_on = asyncio.Event(), asyncio.Event()

        async def stalling() -> AsyncIterator[Chunk]:
            yield Chunk(DATA[:100])
            began.set()
            await go_on.wait()
            yield Chunk(DATA[100:])

        stalled = asyncio.create_task(write(service, slow, stalling()))
        await began.wait()
        other = asyncio.create_task(write(service, fast, stream(DATA)))
        async with asyncio.timeout(60):
            while not service.budget.is_wanted:
                await asyncio.sleep(0)
            service.clock.advance(HOLD_AT_MOST / SECOND + 1)
            file = await other
            assert await service.bytes_of(file) == DATA
            known, _ = await service.get_upload(ANN, slow)
            assert known.committed_size == 100
            go_on.set()
            file = await stalled
        assert await service.bytes_of(file) == DATA


async def test_many_uploads_at_once_take_turns(tmp_path: Path) -> None:
    """With memory for two parts, twenty uploads at once all end with their bytes, and all memory is given back."""
    async with open_file_service(tmp_path, part_size=PART, budget=MemoryBudget(2 * PART)) as service:
        ids = [await new_upload(service) for _ in range(20)]
        pieces = [DATA[start : start + 7] for start in range(0, len(DATA), 7)]
        async with asyncio.timeout(60):
            files = await asyncio.gather(*(write(service, upload_id, stream(*pieces)) for upload_id in ids))
        assert {await service.bytes_of(file) for file in files} == {DATA}
        assert await service.budget.take(2 * PART) == 2 * PART
