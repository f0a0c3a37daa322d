"""Opening and closing what lies in a data directory."""

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest
from engine_under_test import eventually
from log_reader import reading

from chat4all_core.adapters.sqlite.data_dir import DataDirInUseError
from chat4all_core.adapters.sqlite.engine import SqliteSettings, open_engine
from chat4all_core.adapters.sqlite.event_log import EventLogSettings
from chat4all_core.adapters.sqlite.janitor import JanitorSettings
from chat4all_core.adapters.sqlite.migration import NewerSchemaError
from chat4all_core.adapters.sqlite.user_stream import UserStreamSettings
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.domain.source import Source
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.event_log import LogContradictionError
from chat4all_core.ports.user_stream import PositionLostError, StreamAppend

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


async def test_a_janitor_cleans_while_it_is_open(tmp_path: Path) -> None:
    """Old events go and old log records that were committed go, with nobody calling for it."""
    time = 0
    user = UserId(ParticipantId("ann"))
    settings = SqliteSettings(
        event_log=EventLogSettings(partitions=1),
        user_stream=UserStreamSettings(max_age=10),
        janitor=JanitorSettings(interval_seconds=0.01, log_age=10),
    )
    async with open_engine(tmp_path, lambda: Timestamp(time), settings) as engine:
        source = Source(1, 0, 0)
        await engine.streams.append([StreamAppend("router", source, 0, [user], b"", ConversationId("c"))])
        start = StreamPosition((await engine.streams.head(user)).epoch, 0)
        for _ in range(3):
            await engine.log.append("topic", "key", b"")
        async with reading(engine.log, "topic", "group") as reader:
            await reader.commit(await reader.read(3))
        time = 100

        async def event_is_gone() -> bool:
            try:
                return not await engine.streams.read(user, start, 1)
            except PositionLostError:
                return True

        async def records_are_gone() -> bool:
            async with reading(engine.log, "topic", "group") as reader:
                await reader.poll()
                reader.consumer.rewind({0: 0})
                try:
                    await reader.poll()
                except LogContradictionError:
                    return True
                return False

        await eventually(event_is_gone)
        await eventually(records_are_gone)


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


async def test_the_data_is_for_its_owner_only(tmp_path: Path) -> None:
    """A data directory that was made here, with everyone's messages in it, can't be entered by others."""
    async with open_engine(tmp_path / "data", now):
        assert (tmp_path / "data").stat().st_mode & 0o077 == 0
