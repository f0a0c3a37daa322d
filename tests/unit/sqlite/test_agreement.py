"""Files of a data directory that do not belong together; what a user sees of it is in tests/e2e/test_standalone.py."""

from pathlib import Path

import pytest

from chat4all_core.adapters.sqlite.agreement import DataDirMismatchError, require_agreement
from chat4all_core.adapters.sqlite.engine import open_engine
from chat4all_core.domain.ids import ConversationId, ParticipantId, UserId
from chat4all_core.domain.source import Source
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.user_stream import StreamAppend

TOPICS = {"router": "topic"}


async def stores_with(data_dir: Path, records: int, newest_offset: int) -> None:
    """A log with so many records, and stores that have taken in one at an offset."""
    async with open_engine(data_dir, lambda: Timestamp(0)) as engine:
        sources = [await engine.log.append("topic", "key", b"") for _ in range(records)]
        source = Source(1, sources[0].partition, newest_offset)
        user = UserId(ParticipantId("ann"))
        await engine.streams.append([StreamAppend("router", source, 0, [user], b"", ConversationId("c"))])


async def test_a_log_that_is_ahead_or_abreast_is_taken(tmp_path: Path) -> None:
    """Stores that have taken in no more than there is agree with their log."""
    await stores_with(tmp_path, records=2, newest_offset=1)
    require_agreement(tmp_path, TOPICS)


async def test_a_log_that_is_behind_is_refused(tmp_path: Path) -> None:
    """Stores that have taken in a record that the log has not reached do not agree with it."""
    await stores_with(tmp_path, records=2, newest_offset=2)
    with pytest.raises(DataDirMismatchError, match=str(tmp_path / "log.db")):
        require_agreement(tmp_path, TOPICS)


def test_a_start_that_was_killed_at_once_is_no_mismatch(tmp_path: Path) -> None:
    """An empty folder agrees with itself, and so does one whose files were just made and hold nothing yet."""
    require_agreement(tmp_path, TOPICS)
    (tmp_path / "store.db").touch()
    require_agreement(tmp_path, TOPICS)
