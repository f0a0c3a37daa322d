"""The whole platform as a process of its own, started the way `make run` starts it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class PlatformProcess:
    """A platform that one command starts, on ports and a data folder of its own, which it keeps over restarts."""

    def __init__(
        self,
        data_dir: Path,
        settings: Mapping[str, str] | None = None,
        command: Sequence[str] = ("-m", "chat4all_standalone"),
    ) -> None:
        self.envoy_port = free_port()
        self.grpc_port = free_port()
        self.data_dir = data_dir
        self.banner: list[str] = []
        """The lines that it has printed, the one that begins with "ready" the last."""
        self._settings = settings or {}
        self._command = command
        self._process: subprocess.Popen[str] | None = None

    @property
    def settings(self) -> Mapping[str, str]:
        """What it is told by its environment, beside ports and folder."""
        return self._settings

    @property
    def target(self) -> str:
        """Where gRPC clients connect: the public port."""
        return f"127.0.0.1:{self.envoy_port}"

    @property
    def url(self) -> str:
        """Where REST clients connect."""
        return f"http://127.0.0.1:{self.envoy_port}"

    @property
    def pid(self) -> int:
        """The process id."""
        return self._running().pid

    @property
    def is_running(self) -> bool:
        """Whether it was started, and not ended by this object."""
        return self._process is not None

    def start(self) -> None:
        """Return once everything serves."""
        env = {name: value for name, value in os.environ.items() if not name.startswith("CHAT4ALL_")}
        env |= {
            "CHAT4ALL_DATA_DIR": str(self.data_dir),
            "CHAT4ALL_ENVOY_PORT": str(self.envoy_port),
            "CHAT4ALL_SERVER_GRPC_PORT": str(self.grpc_port),
            "PYTHONUNBUFFERED": "1",
            **self._settings,
        }
        self.data_dir.mkdir(parents=True, exist_ok=True)
        with (self.data_dir / "stderr.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, *self._command], env=env, stdout=subprocess.PIPE, stderr=log, text=True
            )
        self.banner = []
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.banner.append(line.rstrip("\n"))
            if line.startswith("ready "):
                return
        self._process.stdout.close()
        code = self._process.wait()
        self._process = None
        told = (self.data_dir / "stderr.log").read_text()[-4000:]
        raise RuntimeError(f"the platform ended with {code} before it was ready:\n{told}")

    def restart_rolling(self) -> None:
        """Have a distributed platform replace each of its processes; return once it is done."""
        process = self._running()
        process.send_signal(signal.SIGHUP)
        assert process.stdout is not None
        assert process.stdout.readline() == "restarted\n"

    def kill(self) -> None:
        """End it as a power cut would, as far as the process can tell."""
        self.signal(signal.SIGKILL)

    def stop(self) -> int:
        """Ask it to stop, as Ctrl-C or a service manager would; returns its exit code."""
        return self.signal(signal.SIGTERM)

    def signal(self, number: int) -> int:
        """Send a signal that ends it; returns its exit code once it has ended."""
        process = self._running()
        process.send_signal(number)
        code = process.wait(timeout=60)
        assert process.stdout is not None
        process.stdout.close()
        self._process = None
        return code

    def _running(self) -> "subprocess.Popen[str]":
        if self._process is None:
            raise RuntimeError("the platform is not running")
        return self._process

    def close(self) -> None:
        """End it if it runs."""
        if self._process is not None:
            self.kill()


class MakePlatform(Protocol):
    """Makes platforms with data of their own, not started yet."""

    def __call__(self, data_dir: Path, settings: Mapping[str, str] | None = None) -> PlatformProcess: ...
