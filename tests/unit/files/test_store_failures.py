"""Stores that have no room, or can't be used, for a while."""

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from file_service import ANN, ROOM, open_file_service, stream

from chat4all_core.app.create_upload import NewFile
from chat4all_core.app.write_upload import Write
from chat4all_core.domain.errors import Reason, UnavailableError

MIB = 1 << 20


@contextmanager
def files_limited_to(size: int) -> Iterator[None]:
    """Let no file of this process grow beyond a size: the kernel refuses the write, as it does on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_keeps_what_was_committed(tmp_path: Path) -> None:
    """The writer is told that there is no room and how far it came; once there is room, it goes on from there."""
    data = os.urandom(6 * MIB + 5)
    async with open_file_service(tmp_path, part_size=MIB) as service:
        upload, _ = await service.create(ANN, NewFile(ROOM, "f", size=len(data)))
        pieces = [data[i : i + 100_000] for i in range(0, len(data), 100_000)]
        with files_limited_to(3 * MIB + 1_000), pytest.raises(UnavailableError) as caught:
            await service.write(ANN, Write(upload.upload_id, 0), stream(*pieces))
        assert caught.value.reason is Reason.STORAGE_FULL
        assert caught.value.metadata["committed_size"] == str(3 * MIB)
        now, _ = await service.get_upload(ANN, upload.upload_id)
        assert now.committed_size == 3 * MIB
        _, file = await service.write(ANN, Write(upload.upload_id, 3 * MIB), stream(data[3 * MIB :]))
        assert file is not None
        assert await service.bytes_of(file) == data


async def test_many_small_files(tmp_path: Path) -> None:
    """A thousand files one after the other leave a thousand objects, and no upload behind."""
    async with open_file_service(tmp_path) as service:
        for n in range(1_000):
            file = await service.upload_file(ANN, NewFile(ROOM, str(n), size=4), stream(b"%04d" % n))
            assert file.size == 4
        found = await service.read.list(ANN, ROOM, None, 2_000)
        assert [listed.file.filename for listed in found] == [str(n) for n in range(999, -1, -1)]
        assert await service.bytes_of(found[0].file) == b"0999"
    assert not list((tmp_path / "files" / "uploads").iterdir())
