"""One upload that is cut again and again: the command line sends it, and things die or break at random progress."""

import asyncio
import json
import os
import random
import sys
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cutting_proxy import CuttingProxy

from chat4all_sdk import AsyncClient

_PASSWORD = "correct horse"
_CHAT4ALL = Path(sys.executable).parent / "chat4all"
_MAX_RUNS = 50

Cut = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an upload went."""

    file: Mapping[str, Any]
    """As the command line printed it."""
    cuts: Mapping[str, int]
    """How many of each kind there were."""
    sent_again: int
    """Bytes that clients sent beyond those of the file: some of it again, and what requests are wrapped in."""


class CutUpload:
    """A person, who runs `chat4all files upload` until it says that the file is there."""

    def __init__(self, proxy: CuttingProxy, home: Path, source: Path, cuts: Mapping[str, Cut]) -> None:
        """`cuts`: what may happen besides the death of the client and of its connections, by name."""
        self._proxy = proxy
        self._home = home
        self._source = source
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home / "config"),
            "CHAT4ALL_SERVER": f"127.0.0.1:{proxy.port}",
            "CHAT4ALL_PASSWORD": _PASSWORD,
        }
        self._cuts = {"client": self._kill_client, "connection": self._cut_connection, **cuts}
        self._client: asyncio.subprocess.Process | None = None
        self._random = random.Random(11)

    async def run(self, count: int) -> Outcome:
        """Upload while so many cuts happen, of each kind in turn, at random progress. Raises AssertionError."""
        other = await self._meet()
        before, size, done = self._proxy.sent, self._source.stat().st_size, Counter[str]()
        uploading = asyncio.create_task(self._upload(other))
        at = float(before)
        for number in range(count):
            at += size / (count + 1) * self._random.uniform(0.5, 1)  # so that the last one comes before the end
            await _first(self._proxy.passed(int(at)), uploading)
            kind = list(self._cuts)[number % len(self._cuts)]
            await self._cuts[kind]()
            done[kind] += 1
        file = await uploading
        return Outcome(file, done, self._proxy.sent - before - size)

    async def download(self, file_id: str) -> Path:
        """Where the file lies then."""
        target = self._home / "downloaded"
        if (told := await self._command("files", "download", file_id, str(target))).failure:
            raise AssertionError(told.failure)
        return target

    async def _meet(self) -> str:
        """Register and log in; whom the file is for."""
        name, other = (f"u_{uuid.uuid4().hex[:12]}" for _ in range(2))
        async with AsyncClient(f"127.0.0.1:{self._proxy.port}") as client:
            for username in (name, other):
                await client.register(username, _PASSWORD)
        if (told := await self._command("login", name)).failure:
            raise AssertionError(told.failure)
        return other

    async def _upload(self, other: str) -> Mapping[str, Any]:
        told = _Told({}, "")
        for _ in range(_MAX_RUNS):
            told = await self._command("files", "upload", str(self._source), f"@{other}", "--no-direct")
            if not told.failure:
                return told.answer
        raise AssertionError(f"the last of {_MAX_RUNS} runs said {told.failure}")

    async def _command(self, *arguments: str) -> "_Told":
        pipe = asyncio.subprocess.PIPE
        self._client = await asyncio.create_subprocess_exec(
            _CHAT4ALL, "--json", *arguments, env=self._environment, stdout=pipe, stderr=pipe
        )
        out, error = await self._client.communicate()
        if code := self._client.returncode:
            return _Told({}, f"{code}: {error.decode()}")
        return _Told(json.loads(out), "")

    async def _kill_client(self) -> None:
        assert self._client is not None
        with suppress(ProcessLookupError):
            self._client.kill()

    async def _cut_connection(self) -> None:
        self._proxy.cut()


@dataclass(frozen=True, slots=True)
class _Told:
    """What a command printed."""

    answer: Mapping[str, Any]
    failure: str
    """Why it ended without; empty when it did not."""


async def _first(waiting: Awaitable[None], uploading: "asyncio.Task[Mapping[str, Any]]") -> None:
    """Wait for what must come before the upload ends."""
    task = asyncio.ensure_future(waiting)
    await asyncio.wait([task, uploading], return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        raise AssertionError(f"the upload ended too early: {await uploading}")
