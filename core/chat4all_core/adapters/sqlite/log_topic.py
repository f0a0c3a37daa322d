"""The reading side of one topic, shared by its consumers."""

from collections.abc import Sequence

from chat4all_core.adapters.sqlite.database import Database
from chat4all_core.adapters.sqlite.log_record import Topic, kept_offsets, read_records
from chat4all_core.adapters.sqlite.log_tail import LogTail
from chat4all_core.adapters.sqlite.wake_up import WakeUp
from chat4all_core.ports.event_log import LogContradictionError, Record


class LogTopic:
    """Reads from memory where it can. Records are pushed once they are durable, never before."""

    def __init__(self, topic: Topic, tail: LogTail, database: Database) -> None:
        self.topic = topic
        self._tail = tail
        self._database = database
        self._waiting: set[WakeUp] = set()

    def wake_with_records(self, wake_up: WakeUp) -> None:
        """Notify somebody of new records from now on."""
        self._waiting.add(wake_up)

    def let_sleep(self, wake_up: WakeUp) -> None:
        """Undo `wake_with_records`."""
        self._waiting.discard(wake_up)

    def push(self, record: Record) -> None:
        """Make a durable record visible; `notify` when the burst is complete."""
        self._tail.push(record)

    def notify(self) -> None:
        """Wake those who wait for records."""
        for wake_up in self._waiting:
            wake_up.notify()

    def read_tail(self, partition: int, offset: int, limit: int) -> Sequence[Record] | None:
        """Records from memory; None when the database has to be asked."""
        return self._tail.read(partition, offset, limit)

    async def read(self, partition: int, offset: int, limit: int) -> Sequence[Record]:
        """Records from the database.

        Raises:
            LogContradictionError: the record at `offset` was deleted.
        """
        records = await self._database.read(
            lambda connection: read_records(connection, self.topic, partition, offset, limit)
        )
        if not records:
            self._tail.begin(partition, offset)
        elif records[0].source.offset != offset:
            raise self._contradiction(partition, offset, f"begins at {records[0].source.offset}")
        return records

    async def check(self, partition: int, offset: int) -> None:
        """Raise LogContradictionError unless a consumer can go on from an offset."""
        first, end = await self._database.read(lambda connection: kept_offsets(connection, self.topic, partition))
        if not first <= offset <= end:
            raise self._contradiction(partition, offset, f"holds {first} to {end}")

    def _contradiction(self, partition: int, offset: int, fact: str) -> LogContradictionError:
        return LogContradictionError(
            f"{self.topic.name}, partition {partition}: to go on from offset {offset}, but the log {fact}",
            partition,
        )
