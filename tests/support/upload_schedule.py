"""What may happen to an upload, at random."""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, suppress

from file_service import ANN, FINISH, ROOM, FileService

from chat4all_core.adapters.content.content_hasher import HashlibContentHasher
from chat4all_core.app.create_upload import NewFile
from chat4all_core.app.file_policy import FilePolicy
from chat4all_core.app.write_upload import Chunk, Write
from chat4all_core.domain.errors import Reason, RefusedError
from chat4all_core.domain.upload import Upload
from chat4all_core.ports.content_hash import ContentHasher
from chat4all_core.ports.file_store import Quota

OpenService = Callable[[], AbstractAsyncContextManager[FileService]]

UNITS_A_PART = 64
"""Sizes of what writers send are told in units, so that they are the same part of a part whatever its size."""

EXPECTED = {Reason.UPLOAD_TAKEN_OVER, Reason.OFFSET_BEYOND_COMMITTED}


async def run_schedule(open_service: OpenService, seed: int, units: int, declared: bool, steps: int) -> None:
    """Make a file of so many units in so many random steps; it must be right in the end."""
    rng = random.Random(seed)
    async with open_service() as service:
        data = rng.randbytes(units * service.part_size // UNITS_A_PART)
        upload, _ = await service.create(ANN, NewFile(ROOM, "f", size=len(data) if declared else None))
        schedule = UploadSchedule(service, rng, data, upload)
        for _ in range(steps):
            await schedule.step()
        await schedule.end()


class UploadSchedule:
    """Writers of several processes, each at work on one upload; some are cut, some fall asleep and wake up late."""

    def __init__(self, first: FileService, rng: random.Random, data: bytes, upload: Upload) -> None:
        self.unit = first.part_size // UNITS_A_PART
        self.rng = rng
        self.data = data
        self.upload = upload
        self.services = [first]
        self.sleeping: list[asyncio.Event] = []
        self.writers: list[asyncio.Task[None]] = []

    async def step(self) -> None:
        """Do one thing."""
        things: list[Callable[[], Awaitable[None]]] = [self.write, self.write, self.restart, self.wake, self.query]
        await self.rng.choice(things)()

    async def write(self) -> None:
        """Begin to write from a place that may be wrong, and let the writer come some way."""
        service = self.rng.choice(self.services)
        stored = await service.engine.files.get_upload(self.upload.upload_id)
        assert stored is not None
        committed = stored.committed_size
        offset = max(0, min(committed + self.unit * self.rng.choice([0, 0, 0, -1, -30, -200, 1]), len(self.data)))
        service.clock.advance(self.rng.choice([0, 0, 0, 20]))
        self.writers.append(asyncio.create_task(self._write(service, offset)))
        for _ in range(self.rng.randrange(40)):
            await asyncio.sleep(0)

    async def _write(self, service: FileService, offset: int) -> None:
        with suppress(ConnectionResetError):
            try:
                await service.write(ANN, Write(self.upload.upload_id, offset), self._stream(offset))
            except RefusedError as error:
                if error.reason not in EXPECTED:
                    raise

    async def _stream(self, offset: int) -> AsyncIterator[Chunk]:
        while offset < len(self.data):
            piece = self.data[offset : offset + self.unit * self.rng.choice([1, 10, 63, 64, 65, 150])]
            yield Chunk(piece)
            offset += len(piece)
            fate = self.rng.random()
            if fate < 0.05:
                raise ConnectionResetError
            if fate < 0.10:
                return
            if fate < 0.15:
                awake = asyncio.Event()
                self.sleeping.append(awake)
                await awake.wait()

    async def restart(self) -> None:
        """Another process appears; it may be one that can't store sums, or that waits for other writers."""
        first = self.services[0]
        hasher = self.rng.choice([first.hasher, HashlibContentHasher()])
        self.services.append(_process_like(first, hasher, self.rng.choice([0, 0, 0.2])))

    async def wake(self) -> None:
        """A writer that was asleep goes on, however late."""
        if self.sleeping:
            self.sleeping.pop(self.rng.randrange(len(self.sleeping))).set()

    async def query(self) -> None:
        """What is committed never becomes less, and is what is in the store."""
        before = await self.rng.choice(self.services).engine.files.get_upload(self.upload.upload_id)
        await asyncio.sleep(0)
        after = await self.rng.choice(self.services).engine.files.get_upload(self.upload.upload_id)
        assert before is not None
        assert after is not None
        assert after.committed_size >= before.committed_size

    async def end(self) -> None:
        """Let everybody come to an end, then finish whatever is left."""
        while not all(writer.done() for writer in self.writers):
            while self.sleeping:
                self.sleeping.pop().set()
            await asyncio.sleep(0)
        await asyncio.gather(*self.writers)
        service = _process_like(self.services[0], self.services[0].hasher, 0)
        upload = await service.engine.files.get_upload(self.upload.upload_id)
        assert upload is not None

        async def rest() -> AsyncIterator[Chunk]:
            yield Chunk(self.data[upload.committed_size :])
            if upload.declared_size is None:
                yield FINISH

        _, file = await service.write(ANN, Write(upload.upload_id, upload.committed_size), rest())
        assert file is not None
        assert await service.bytes_of(file) == self.data
        assert file.sha256 == hashlib.sha256(self.data).hexdigest()


def _process_like(first: FileService, hasher: ContentHasher, hand_over_seconds: float) -> FileService:
    return FileService(
        first.engine,
        first.objects,
        first.clock,
        FilePolicy(Quota(1 << 30, 1_000), hand_over_seconds=hand_over_seconds, patience_seconds=0),
        part_size=first.part_size,
        hasher=hasher,
        budget=first.budget,
    )
