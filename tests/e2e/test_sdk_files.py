"""The SDK and the command line move files over the real platform, which dies in the middle, or they do."""

import asyncio
import hashlib
import io
import json
import os
import random
import signal
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import aiohttp
import psutil
import pytest
from platform_process import PlatformProcess

from chat4all_sdk import AsyncClient, DataLoss, TransferProgress, Upload

PASSWORD = "correct horse"
SIZE = 48 << 20
PART = 8 << 20
MAY_BE_LOST = 4 * PART
"""Of an upload: the part that fills, and three that are being stored or wait to be recorded together."""

Condition = Callable[[], Awaitable[bool]]

CHAT4ALL = Path(sys.executable).parent / "chat4all"


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of six parts."""
    path = tmp_path_factory.mktemp("files") / "big.bin"
    path.write_bytes(random.Random(5).randbytes(SIZE))
    return path


@asynccontextmanager
async def pair(platform: PlatformProcess) -> AsyncIterator[tuple[AsyncClient, AsyncClient, str]]:
    """Two new people and the conversation between them."""
    async with AsyncClient(platform.target) as ann, AsyncClient(platform.target) as ben:
        for client in (ann, ben):
            name = f"u_{uuid.uuid4().hex[:12]}"
            await client.register(name, PASSWORD)
            await client.login(name, PASSWORD)
        yield ann, ben, (await ann.create_direct(await ben.me())).conversation_id


def sha256(path: Path) -> str:
    """Of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@pytest.mark.parametrize("direct", [False, True])
async def test_there_and_back(platform: PlatformProcess, big: Path, tmp_path: Path, direct: bool) -> None:
    """A file goes up by either way, in a message to the other one, and comes down the same, whole and by ranges."""
    async with pair(platform) as (ann, ben, conversation_id):
        file = await ann.upload(conversation_id, big, direct=direct)
        assert (file.sha256, file.sha256_verified, file.size_bytes) == (sha256(big), True, SIZE)
        sent = await ann.send(conversation_id, file_id=file.file_id)
        carried = (await ben.get_message(sent.message_id)).file
        assert carried is not None
        await ben.download(carried.file_id, tmp_path)
        assert sha256(tmp_path / "big.bin") == file.sha256
        chunks = [chunk async for chunk in ben.download_chunks(file.file_id, offset=SIZE - 10)]
        with big.open("rb") as source:
            source.seek(-10, os.SEEK_END)
            assert b"".join(chunks) == source.read()
        async with aiohttp.ClientSession() as http, http.get((await ben.get_download_url(file.file_id)).url) as answer:
            assert hashlib.sha256(await answer.read()).hexdigest() == file.sha256
        assert [f.file_id async for f in ben.files(conversation_id)] == [file.file_id]


async def test_streams_of_unknown_size(platform: PlatformProcess) -> None:
    """An iterator longer than what the client holds of it arrives whole; so do one byte, and none."""

    async def pieces() -> AsyncIterator[bytes]:
        for number in range(40):
            yield bytes([number]) * 1_000_001

    async with pair(platform) as (ann, _, conversation_id):
        file = await ann.upload(conversation_id, pieces(), "long")
        assert file.sha256 == hashlib.sha256(b"".join([p async for p in pieces()])).hexdigest()
        for data in (b"", b"x"):
            assert (await ann.upload(conversation_id, iter([data]), "short")).size_bytes == len(data)
            assert (await ann.upload(conversation_id, io.BytesIO(data), "short")).size_bytes == len(data)


async def test_a_source_that_changed_meanwhile(platform: PlatformProcess, tmp_path: Path) -> None:
    """When a file is changed between two runs, the second one finds out by its SHA-256, and no wrong file is left."""
    path, uploads = tmp_path / "log", list[Upload]()

    class Died(Exception):
        pass

    def die(progress: TransferProgress) -> None:
        if progress.done > PART:
            raise Died

    path.write_bytes(bytes(2 * PART))
    async with pair(platform) as (ann, _, conversation_id):
        with pytest.raises(Died):
            await ann.upload(conversation_id, path, on_upload=uploads.append, on_progress=die)
        await _until(lambda: _committed(ann, uploads[0].upload_id))
        path.write_bytes(b"\1" * 2 * PART)
        with pytest.raises(DataLoss) as raised:
            await ann.upload(conversation_id, path, upload_id=uploads[0].upload_id)
        assert raised.value.reason == "SHA256_MISMATCH"
        assert [file async for file in ann.files(conversation_id)] == []


@pytest.mark.parametrize("direct", [False, True])
async def test_the_platform_is_killed(tmp_path: Path, big: Path, direct: bool) -> None:
    """kill -9 of the platform, in the middle of an upload and of a download, costs little: both end by themselves with
    the right bytes, what was committed is not sent again, and nothing is loaded twice."""
    platform = PlatformProcess(tmp_path / "data")
    platform.start()
    try:
        async with pair(platform) as (ann, ben, conversation_id):
            up = _Killer(platform, at=5 * PART)
            file = await ann.upload(conversation_id, big, direct=direct, on_progress=up)
            await up.over()
            assert file.sha256 == sha256(big)
            # Of a direct upload the four parts under way, some more than once when Envoy lives longer than its server.
            assert up.repeated < (SIZE if direct else MAY_BE_LOST)

            down = _Killer(platform, at=3 * PART)
            await ben.download(file.file_id, tmp_path / "got", on_progress=down)
            await down.over()
            assert sha256(tmp_path / "got") == file.sha256
            assert down.repeated == 0
            print(f"\nsent again: {up.repeated:,} of {SIZE:,} bytes (direct: {direct})")
    finally:
        platform.close()


class _Killer:
    """Kills the platform once at some progress, starts it again, and counts what is transferred twice."""

    def __init__(self, platform: PlatformProcess, at: int) -> None:
        self._platform = platform
        self._at = at
        self._seen: list[int] = []
        self._restart: asyncio.Task[None] | None = None

    def __call__(self, progress: TransferProgress) -> None:
        self._seen.append(progress.done)
        if self._restart is None and progress.done >= self._at:
            self._platform.kill()
            self._restart = asyncio.create_task(asyncio.to_thread(self._platform.start))

    async def over(self) -> None:
        """The platform was killed, and is back."""
        assert self._restart is not None
        await self._restart

    @property
    def repeated(self) -> int:
        return sum(max(0, before - after) for before, after in pairwise(self._seen))


async def test_memory_does_not_grow_with_files(platform: PlatformProcess, tmp_path: Path) -> None:
    """A file of 192 MiB goes up and down through less than 64 MiB more than the client had before."""
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(192 << 20)
    process, most = psutil.Process(), 0

    def watch(_: TransferProgress) -> None:
        nonlocal most
        most = max(most, process.memory_info().rss)

    async with pair(platform) as (ann, ben, conversation_id):
        before = process.memory_info().rss
        uploaded = await ann.upload(conversation_id, path, on_progress=watch)
        await ben.download(uploaded.file_id, tmp_path / "got", on_progress=watch)
    assert most - before < 64 << 20


async def test_the_command_line_is_killed_during_transfers(
    platform: PlatformProcess, big: Path, tmp_path: Path
) -> None:
    """A command that is killed in the middle of an upload, or of a download, goes on when it is run again."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "CHAT4ALL_SERVER": platform.target,
        "CHAT4ALL_PASSWORD": PASSWORD,
    }
    name = f"u_{uuid.uuid4().hex[:12]}"
    async with pair(platform) as (ann, _, _):
        other = (await ann.me()).username

        def run(*arguments: str) -> dict[str, object]:
            command = [CHAT4ALL, "--json", *arguments]
            done = subprocess.run(command, env=environment, capture_output=True, timeout=120)
            assert done.returncode == 0, done.stderr
            return dict(json.loads(done.stdout))

        await asyncio.to_thread(run, "register", name)
        await asyncio.to_thread(run, "login", name)
        async with AsyncClient(platform.target) as me:
            await me.login(name, PASSWORD)
            records = tmp_path / "config" / "chat4all" / "uploads"

            async def begun() -> bool:
                for record in os.listdir(records) if records.exists() else ():
                    if record.endswith(".json"):
                        return await _committed(me, json.loads((records / record).read_text())["upload_id"])
                return False

            upload = ("files", "upload", str(big), f"@{other}")
            await _kill_once([CHAT4ALL, *upload], environment, begun)
            (record,) = os.listdir(records)
            stopped = await me.get_upload(json.loads((records / record).read_text())["upload_id"])
            file = await asyncio.to_thread(run, *upload)
            assert (file["file_id"], file["sha256"]) == (stopped.file_id, sha256(big))
            assert 0 < stopped.committed_size < SIZE

        async def loaded() -> bool:
            return any((tmp_path / name).stat().st_size for name in os.listdir(tmp_path) if name.endswith(".partial"))

        download = ("files", "download", str(file["file_id"]), str(tmp_path / "got"))
        await _kill_once([CHAT4ALL, *download], environment, loaded)
        assert not (tmp_path / "got").exists()
        await asyncio.to_thread(run, *download)
        assert sha256(tmp_path / "got") == sha256(big)


async def _committed(client: AsyncClient, upload_id: str) -> bool:
    return (await client.get_upload(upload_id)).committed_size > 0


async def _kill_once(command: list[Path | str], environment: dict[str, str], condition: Condition) -> None:
    """Lets a process run in short steps until the condition holds, so that it can't come to its end before."""
    null = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, env=environment, stdout=null, stderr=null)
    try:
        while not await condition():
            process.send_signal(signal.SIGCONT)
            await asyncio.sleep(0.02)
            assert process.returncode is None, "it ended before it could be killed"
            process.send_signal(signal.SIGSTOP)
    finally:
        process.kill()
        await process.wait()


async def _until(condition: Condition) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.01)
