"""Opening and closing what lies in a data directory."""

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest

from chat4all_core.adapters.sqlite.data_dir import DataDirInUseError
from chat4all_core.adapters.sqlite.engine import open_engine
from chat4all_core.adapters.sqlite.migration import NewerSchemaError
from chat4all_core.domain.timestamp import Timestamp

_HOLD = """
import sys
from pathlib import Path
from chat4all_core.adapters.sqlite.data_dir import locked_data_dir
with locked_data_dir(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def now() -> Timestamp:
    """Any time."""
    return Timestamp(0)


async def test_a_second_process_is_refused(tmp_path: Path) -> None:
    """A directory that another process works with can't be opened, the message names it, and it is free again once
    that process was killed."""
    holder = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _HOLD, str(tmp_path)), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(DataDirInUseError, match=str(tmp_path)):
        async with open_engine(tmp_path, now):
            pass
    holder.kill()
    await holder.communicate()
    async with open_engine(tmp_path, now) as engine:
        assert await engine.log.ready()


async def test_a_failed_start_leaves_nothing_open(tmp_path: Path) -> None:
    """When the second file can't be opened, the first one and the directory are let go of."""
    async with open_engine(tmp_path, now):
        pass
    with sqlite3.connect(tmp_path / "log.db") as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.execute("PRAGMA user_version = 1000")
    with pytest.raises(NewerSchemaError):
        async with open_engine(tmp_path, now):
            pass
    with connection:
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    async with open_engine(tmp_path, now) as engine:
        assert await engine.log.ready()
