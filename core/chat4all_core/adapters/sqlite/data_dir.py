"""The folder that holds an embedded platform's data, used by one process at a time."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


class DataDirInUseError(Exception):
    """Another process works with the data directory."""


@contextlib.contextmanager
def locked_data_dir(path: Path) -> Iterator[None]:
    """Make the folder if need be, for its owner only, and hold it; the system lets go of it when the process ends,
    however.

    Raises:
        DataDirInUseError: another process holds it.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (path / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataDirInUseError(
                f"the data directory {path} is in use by another process: stop it, or choose another directory"
            ) from None
        yield
