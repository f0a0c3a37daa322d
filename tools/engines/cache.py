"""Where installed programs are kept: outside the clone, whole or not at all, shared by all clones of a user."""

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from .errors import EngineError

_SIZES = "sizes.json"


@dataclass(frozen=True, slots=True)
class Cache:
    """Directories under `root`, one for each program and version. `report` is told what takes time."""

    root: Path
    report: Callable[[str], None]

    def provide(self, program: str, build: Callable[[Path], None]) -> Path:
        """Return the directory of `program` (a name with its version), building it when it is not here.

        `build` fills an empty directory and raises if anything about it is wrong. Processes that ask at the
        same time wait for each other. A directory whose files have changed in size or number is built anew.
        """
        home = self.root / program
        with exclusive(self.root / f"{program}.lock"):
            if _is_whole(home):
                return home
            self.report(f"installing {program} (once) ...")
            partial = self.root / f"{program}.partial"
            for leftover in (partial, home):
                shutil.rmtree(leftover, ignore_errors=True)
            partial.mkdir()
            build(partial)
            (partial / _SIZES).write_text(json.dumps(_sizes(partial)))
            partial.rename(home)
        return home


def user_cache() -> Path:
    """Return the folder in the user's cache directory, as the XDG base directory specification has it."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "chat4all" / "engines"


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Hold a lock file; whoever else asks for it waits. The kernel releases it when the process ends."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def verify_checksums(directory: Path, sums: Path) -> None:
    """Compare all files of `directory` with a list in sha256sum's format; raises EngineError on any difference."""
    expected = {name: digest for digest, name in (line.split() for line in sums.read_text().splitlines())}
    found = {path.name: path for path in directory.iterdir()}
    if found.keys() != expected.keys():
        difference = ", ".join(sorted(found.keys() ^ expected.keys()))
        raise EngineError(f"{sums.name} and what was fetched name different files: {difference}")
    for name, digest in expected.items():
        with found[name].open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                raise EngineError(f"{name} is not the file that {sums.name} names: its SHA-256 differs")


def _is_whole(home: Path) -> bool:
    with suppress(OSError, ValueError):
        return bool(json.loads((home / _SIZES).read_text()) == _sizes(home))
    return False


def _sizes(home: Path) -> dict[str, int]:
    files = (path for path in home.rglob("*") if path.is_file() and path.name != _SIZES)
    return {str(path.relative_to(home)): path.stat().st_size for path in files}
