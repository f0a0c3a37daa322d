"""What groups have committed, for who is no member.

Not by the client for administration: librdkafka (2.16 and before) ends the process with a segmentation fault when its
question meets a coordinator that has moved, for the answer is handed to the membership, which that client has none of.
"""

from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition

from chat4all_core.adapters.kafka.client_config import REQUEST_TIMEOUT, client_config
from chat4all_core.adapters.kafka.client_thread import ClientThread
from chat4all_core.config import KafkaSection


class GroupObserver:
    """Has a client for each group that was asked for, which never joins it. For one event loop."""

    def __init__(self, section: KafkaSection) -> None:
        self._section = section
        self._clients: dict[str, Consumer] = {}
        self._thread: ClientThread | None = None

    async def committed(self, group: str, partitions: Sequence[TopicPartition]) -> dict[int, int]:
        """The offsets to go on from, by partition of a topic; those that the group has never committed are left out.

        Raises:
            KafkaException: the group's coordinator can't tell now.
        """
        if self._thread is None:
            self._thread = ClientThread("kafka-groups")
        return await self._thread.run(lambda: self._ask(group, partitions))

    def _ask(self, group: str, partitions: Sequence[TopicPartition]) -> dict[int, int]:
        found = self._client(group).committed(list(partitions), REQUEST_TIMEOUT)
        for partition in found:
            if partition.error is not None:
                raise KafkaException(partition.error)
        return {partition.partition: partition.offset for partition in found if partition.offset >= 0}

    def _client(self, group: str) -> Consumer:
        if group not in self._clients:
            name = f"{self._section.topic_prefix}{group}"
            self._clients[group] = Consumer(
                {**client_config(self._section), "group.id": name, "enable.auto.commit": False}
            )
        return self._clients[group]
