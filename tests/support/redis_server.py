"""A Redis of a test's own, to be killed, frozen, cut off and promoted."""

import signal
import socket
import subprocess
from pathlib import Path

from redis.asyncio import Redis
from redis.exceptions import RedisError

from chat4all_core.config import RedisSection
from chat4all_core.setting import Secret

_OPTIONS = (
    "--bind",
    "127.0.0.1",
    "--save",
    "",
    "--appendonly",
    "yes",
    "--appendfsync",
    "everysec",
    "--daemonize",
    "no",
)


class RedisServer:
    """One process at a time, always on the same port and data."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.port: int = listening.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def section(self) -> RedisSection:
        """Settings of its clients, who soon lose patience."""
        return RedisSection(url=Secret(f"redis://127.0.0.1:{self.port}/0"), timeout_seconds=1.0)

    async def start(self) -> None:
        """Start, and wait until it has read its data."""
        self._process = self._spawn()
        while not await self._answers():
            assert self._process.poll() is None, (self._directory / "log").read_text()

    def kill(self) -> None:
        """As a crash would."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGKILL)
        if self._process is not None:
            self._process.wait()
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self._process is not None:
            self._process.send_signal(number)

    def lose(self, size: int) -> None:
        """Cut off the end of the append-only file, as a power cut does with what was not flushed."""
        newest = max((self._directory / "appendonlydir").glob("*.incr.aof"))
        with newest.open("r+b") as file:
            file.truncate(max(0, newest.stat().st_size - size))

    async def is_linked(self) -> bool:
        """Whether it is a replica that has all of its master's data."""
        information = await self.command("INFO", "replication")
        return isinstance(information, dict) and information.get("master_link_status") == "up"

    async def command(self, *words: str) -> object:
        """Run a command."""
        async with Redis(port=self.port) as redis:
            answer: object = await redis.execute_command(*words)
            return answer

    def _spawn(self) -> "subprocess.Popen[bytes]":
        command = ["redis-server", "--port", str(self.port), "--dir", str(self._directory), *_OPTIONS]
        with (self._directory / "log").open("ab") as log:
            return subprocess.Popen(command, stdout=log, stderr=log)

    async def _answers(self) -> bool:
        try:
            await self.command("PING")
        except (RedisError, OSError):
            return False
        return True
