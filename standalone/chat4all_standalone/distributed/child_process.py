"""A server or a worker as a child of this process."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from chat4all_standalone import die_with_parent

_START_SECONDS = 60.0
_POLL_SECONDS = 0.05
_LOG_TAIL_LINES = 20


class ChildStartError(Exception):
    """A child is not ready. The message has the end of its log."""


@dataclass(frozen=True, slots=True)
class ChildSettings:
    """How to start it."""

    module: str
    arguments: Sequence[str]
    environ: Mapping[str, str]
    """All of its environment."""
    log: Path
    web_port: int
    """Where it answers GET /healthz."""


class ChildProcess:
    """Started once. It dies with this process, even when that is killed: see EnvoyProcess."""

    def __init__(self, settings: ChildSettings, client: aiohttp.ClientSession) -> None:
        self._settings = settings
        self._client = client
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process id. Only while started."""
        return self._started().pid

    async def start(self) -> None:
        """Return once it says that it is ready.

        Raises ChildStartError, and leaves no process behind, when it ends before or takes more than a minute.
        """
        with self._settings.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(Path(die_with_parent.__file__)), str(os.getpid())),
                *(sys.executable, "-m", self._settings.module, *self._settings.arguments),
                env=self._settings.environ,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in a terminal is for the parent, which stops its children in order.
                start_new_session=True,
            )
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._ready()
        except TimeoutError:
            await self.stop()
            raise ChildStartError(self._told(f"it was not ready within {_START_SECONDS:.0f} s")) from None
        except BaseException:
            await self.stop()
            raise

    async def wait(self) -> int:
        """The exit code, once it has ended for whatever reason."""
        return await self._started().wait()

    async def retire(self, grace: float) -> None:
        """End it so that nobody notices: a server takes calls until all have gone elsewhere. By force after `grace`
        seconds."""
        await self._end(signal.SIGTERM, grace)

    async def stop(self, grace: float = 15.0) -> None:
        """End it in good order, but at once. May be called again."""
        await self._end(signal.SIGINT, grace)

    async def health(self) -> Mapping[str, Any] | None:
        """What GET /healthz says, if it says that all is well."""
        url = f"http://127.0.0.1:{self._settings.web_port}/healthz"
        try:
            async with self._client.get(url, timeout=aiohttp.ClientTimeout(total=5)) as answer:
                body: Mapping[str, Any] = await answer.json()
                return body if answer.status == 200 else None
        except (aiohttp.ClientError, OSError, TimeoutError):
            return None

    async def _ready(self) -> None:
        process = self._started()
        while await self.health() is None:
            if process.returncode is not None:
                raise ChildStartError(self._told(f"it ended with {process.returncode} before it was ready"))
            await asyncio.sleep(_POLL_SECONDS)

    async def _end(self, number: signal.Signals, grace: float) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(number)
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            process.kill()
            await process.wait()

    def _told(self, what: str) -> str:
        lines = self._settings.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([f"{what}; the end of {self._settings.log}:", *lines[-_LOG_TAIL_LINES:]])

    def _started(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("the process is not started")
        return self._process
