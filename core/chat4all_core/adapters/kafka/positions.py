"""Where a member goes on in each of its partitions, and what to do when that place is not in the log."""

from collections.abc import Iterable, Mapping

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from chat4all_core.adapters.kafka.client_config import REQUEST_TIMEOUT, unavailable
from chat4all_core.ports.event_log import LogContradictionError


class Positions:
    """For one client, in its thread. Only of partitions that the client has."""

    def __init__(self, client: Consumer, topic: str) -> None:
        self._client = client
        self._topic = topic
        self._reached: dict[int, int] = {}
        """The furthest offsets that are known to be in the log, or its end."""
        self._paused: set[int] = set()
        self._doubts: dict[int, tuple[int | None, str]] = {}
        self._contradictions: dict[int, str] = {}

    @property
    def unsettled(self) -> bool:
        """Whether `settle` has something to say."""
        return bool(self._doubts or self._contradictions.keys() - self._paused)

    def advance(self, next_offsets: Mapping[int, int]) -> None:
        """Records before these offsets were read."""
        for partition, offset in next_offsets.items():
            self._reached[partition] = max(offset, self._reached.get(partition, 0))

    def doubt(self, partition: int, offset: int | None, cause: str) -> None:
        """The client has no place to go on from in a partition, and has stopped reading it."""
        self._doubts[partition] = (offset, cause)

    def contradict(self, partitions: Iterable[int], cause: str) -> None:
        """What lies in these is not what was read there before."""
        self._contradictions.update(dict.fromkeys(partitions, cause))

    def settle(self) -> None:
        """Begin partitions that nobody has committed at their beginning.

        Raises:
            LogContradictionError: as often as it is called, while a partition that is not paused has no place to
                go on from.
            UnavailableError: whether that is so can't be known now.
        """
        for partition in list(self._doubts):
            offset, cause = self._doubts[partition]
            if partition not in self._reached and not self._is_committed(partition):
                self._restart(partition, OFFSET_BEGINNING)
            else:
                self._contradictions[partition] = f"{self._topic}[{partition}] can't be read from {offset}: {cause}"
            del self._doubts[partition]
        for partition in self._contradictions.keys() - self._paused:
            raise LogContradictionError(self._contradictions[partition], partition)

    def rewind(self, next_offsets: Mapping[int, int]) -> None:
        """Go on from these offsets. Beyond what was read, the log is asked whether they are in it."""
        for partition, offset in next_offsets.items():
            self._contradictions.pop(partition, None)
            self._doubts.pop(partition, None)
            if offset > self._reached.get(partition, 0) and not self._is_in_the_log(partition, offset):
                self._contradictions[partition] = f"{self._topic}[{partition}] does not hold {offset}"
                continue
            self._reached.setdefault(partition, offset)
            self._restart(partition, offset)

    def pause(self, partitions: Iterable[int]) -> None:
        """Read nothing more of these."""
        self._paused.update(partitions)
        self._client.pause(self._named(partitions))

    def resume(self, partitions: Iterable[int]) -> None:
        """Undo `pause`."""
        resumed = self._paused.intersection(partitions)
        self._paused -= resumed
        if resumed:
            self._client.resume(self._named(resumed))

    def forget(self, partitions: Iterable[int]) -> None:
        """They are about to be with others. Called while the client still has them."""
        gone = set(partitions)
        # The client would keep them paused if they came back.
        self.resume(gone)
        for of_partition in (self._reached, self._doubts, self._contradictions):
            for partition in gone:
                of_partition.pop(partition, None)

    def _restart(self, partition: int, offset: int) -> None:
        # Not `seek`, which the client refuses for a partition that it has stopped reading.
        self._client.incremental_unassign(self._named([partition]))
        self._client.incremental_assign([TopicPartition(self._topic, partition, offset)])
        if partition in self._paused:
            self._client.pause(self._named([partition]))

    def _is_committed(self, partition: int) -> bool:
        try:
            committed = self._client.committed(self._named([partition]), REQUEST_TIMEOUT)
        except KafkaException as error:
            raise unavailable(error) from error
        return committed[0].offset >= 0

    def _is_in_the_log(self, partition: int, offset: int) -> bool:
        try:
            low, high = self._client.get_watermark_offsets(self._named([partition])[0], REQUEST_TIMEOUT)
        except KafkaException as error:
            raise unavailable(error) from error
        return low <= offset <= high

    def _named(self, partitions: Iterable[int]) -> list[TopicPartition]:
        return [TopicPartition(self._topic, partition) for partition in partitions]
