"""Runs the command line as people do: in a process of its own."""

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

EXECUTABLE = Path(sys.executable).parent / "chat4all"


@dataclass(frozen=True, slots=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> list[dict]:
        """The objects on standard output, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]


@dataclass(frozen=True, slots=True)
class CommandLine:
    """Runs `chat4all` with a configuration folder of its own."""

    folder: Path
    server: str

    @property
    def environment(self) -> dict[str, str]:
        """What it is run with, and nothing else of the test's own."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder),
            "CHAT4ALL_SERVER": self.server,
            "PYTHONUTF8": "1",
        }

    async def start(
        self, *arguments: str, password: str = "", stdin: int = asyncio.subprocess.PIPE
    ) -> asyncio.subprocess.Process:
        environment = self.environment
        if password:
            environment["CHAT4ALL_PASSWORD"] = password
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            EXECUTABLE, *arguments, stdin=stdin, stdout=pipe, stderr=pipe, env=environment
        )

    async def __call__(self, *arguments: str, stdin: str | bytes = "", password: str = "") -> Result:
        process = await self.start(*arguments, password=password)
        data = stdin.encode() if isinstance(stdin, str) else stdin
        out, err = await asyncio.wait_for(process.communicate(data), 60)
        assert b"Traceback" not in err, err.decode()
        return Result(process.returncode or 0, out.decode(), err.decode())

    def session_path(self) -> Path:
        """The only saved session."""
        (path,) = (self.folder / "chat4all" / "sessions").glob("*.json")
        return path
