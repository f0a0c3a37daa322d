"""Files and folders that survive a power cut. Everything here blocks, and runs in threads."""

import errno
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from chat4all_core.domain.errors import Reason, UnavailableError
from chat4all_core.ports.object_store import ObjectContradictionError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_MAX_VECTOR = 512  # pieces a call; the system's own limit is 1,024
_RETRY_FULL = 30.0
_RETRY = 1.0


@contextmanager
def translated_errors() -> Iterator[None]:
    """Failures of the file system as the errors of the port."""
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ObjectContradictionError(f"{error.filename} is not there") from error
    except OSError as error:
        if error.errno in _FULL:
            raise UnavailableError(Reason.STORAGE_FULL, "the store has no room left", _RETRY_FULL) from error
        raise UnavailableError(Reason.UNAVAILABLE, "the store can't be used now", _RETRY) from error


def write_at(path: Path, offset: int, pieces: Sequence[bytes], keep_free: int) -> None:
    """Write into a file that exists, durably. Raises as `write_pieces`."""
    descriptor = os.open(path, os.O_WRONLY)
    try:
        write_pieces(descriptor, offset, pieces, keep_free)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)


def write_pieces(descriptor: int, offset: int, pieces: Sequence[bytes], keep_free: int) -> None:
    """Write all of them, one after the other, from an offset on.

    Raises:
        OSError: ENOSPC when that would leave fewer than `keep_free` bytes of the disk to others.
    """
    disk = os.fstatvfs(descriptor)
    if disk.f_bavail * disk.f_frsize < sum(map(len, pieces)) + keep_free:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    for start in range(0, len(pieces), _MAX_VECTOR):
        views = [memoryview(piece) for piece in pieces[start : start + _MAX_VECTOR]]
        while views:
            written = os.pwritev(descriptor, views, offset)
            offset += written
            while views and written >= len(views[0]):
                written -= len(views.pop(0))
            if views:
                views[0] = views[0][written:]


def truncate(path: Path, size: int) -> None:
    """Cut a file off, durably."""
    with path.open("r+b") as file:
        file.truncate(size)
        os.fsync(file.fileno())


def append_line(path: Path, line: str) -> None:
    """Add a line to a file, making it if need be, durably."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, f"{line}\n".encode())
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(path.parent)


def make_folders(path: Path) -> None:
    """Make a folder, and those it lies in, durably."""
    if path.is_dir():
        return
    make_folders(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Make what was added to a folder, or renamed in it, durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
