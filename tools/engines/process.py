"""One node's process: started detached, found again by anyone through its pid file, ended for certain."""

import json
import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .engine import Command
from .errors import EngineError


@dataclass(frozen=True, slots=True)
class NodeProcess:
    """The process whose pid file and output lie in `directory`.

    The pid file holds the pid and the process's start in kernel ticks: a pid that another program has by
    now is recognised as stale. Signals go through a pidfd, so they can't reach a stranger either.
    """

    directory: Path

    @property
    def log(self) -> Path:
        """Where its standard output and error go; the run before is kept beside it as output.log.1."""
        return self.directory / "output.log"

    @property
    def _pid_file(self) -> Path:
        return self.directory / "pid.json"

    def start(self, command: Command) -> int:
        """Start it in a session of its own, so that it outlives the caller and its terminal; return the pid."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.1"))
        environment = {name: os.environ[name] for name in ("HOME", "LANG", "PATH") if name in os.environ}
        # posix_spawn instead of subprocess: the process is meant to be left alone by this program.
        pid = os.posix_spawn(
            command.arguments[0],
            command.arguments,
            environment | dict(command.environment),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
            setsigmask=[],
            setsigdef=[signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE],
        )
        try:
            temporary = self._pid_file.with_suffix(".tmp")
            temporary.write_text(json.dumps({"pid": pid, "start": _start_ticks(pid)}))
            temporary.replace(self._pid_file)
        except BaseException:
            os.kill(pid, signal.SIGKILL)
            raise
        return pid

    def pid(self) -> int | None:
        """Return the pid while it runs (paused counts), else None."""
        with suppress(OSError, ValueError, KeyError):
            recorded = json.loads(self._pid_file.read_text())
            pid = int(recorded["pid"])
            _reap(pid)
            if _start_ticks(pid) == recorded["start"] is not None:
                return pid
        return None

    def send(self, number: signal.Signals) -> None:
        """Send a signal; raises EngineError when it does not run."""
        with self._handle() as handle:
            if handle is None:
                raise EngineError(f"{self.directory.name} does not run")
            signal.pidfd_send_signal(handle, number)

    def kill(self, number: signal.Signals = signal.SIGKILL, timeout: float = 60) -> None:
        """Send a deadly signal and wait until the process is gone; raises EngineError when it does not run or die."""
        with self._handle() as handle:
            if handle is None:
                raise EngineError(f"{self.directory.name} does not run")
            signal.pidfd_send_signal(handle, number)
            if not _wait(handle, timeout):
                raise EngineError(f"{self.directory.name} is still there {timeout:.0f} s after {number.name}")
        self._forget()

    def stop(self, grace: float) -> None:
        """End it: SIGTERM, then SIGKILL after `grace` seconds. Does nothing when it does not run."""
        with self._handle() as handle:
            if handle is not None:
                signal.pidfd_send_signal(handle, signal.SIGTERM)
                # A paused process gets the signal only when it goes on.
                signal.pidfd_send_signal(handle, signal.SIGCONT)
                if not _wait(handle, grace):
                    signal.pidfd_send_signal(handle, signal.SIGKILL)
                    if not _wait(handle, 30):
                        raise EngineError(f"{self.directory.name} can't be killed")
        self._forget()

    def resident_bytes(self) -> int:
        """Return its resident memory, 0 when it does not run."""
        with suppress(OSError):
            pages = Path(f"/proc/{self.pid()}/statm").read_text().split()[1]
            return int(pages) * os.sysconf("SC_PAGE_SIZE")
        return 0

    def _forget(self) -> None:
        self.pid()  # reaps it when it was this program's child
        self._pid_file.unlink(missing_ok=True)

    @contextmanager
    def _handle(self) -> Iterator[int | None]:
        """Yield a pidfd, or None when the process does not run."""
        handle = None
        pid = self.pid()
        if pid is not None:
            with suppress(ProcessLookupError):
                handle = os.pidfd_open(pid)
        try:
            # Asked again now that the handle pins the pid: between the two it could have changed hands.
            yield handle if self.pid() == pid else None
        finally:
            if handle is not None:
                os.close(handle)


def _start_ticks(pid: int) -> int | None:
    """Return when the process started, in kernel ticks since boot; None when it is gone or a zombie."""
    with suppress(OSError):
        # The name, in parentheses, may contain anything; the fields after it are fixed (proc(5)).
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        if state not in "ZX":
            return int(fields[18])
    return None


def _reap(pid: int) -> None:
    """Collect the exit status if the process was this program's child and is dead."""
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _wait(handle: int, timeout: float) -> bool:
    """Wait until the process of a pidfd is dead; a zombie is dead."""
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    deadline = time.monotonic() + timeout
    while (remaining := deadline - time.monotonic()) > 0:
        if poll.poll(remaining * 1000):
            return True
    return False
