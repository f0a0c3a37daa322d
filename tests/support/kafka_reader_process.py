"""A program that reads a topic as a member of a group and prints the source of each record that it has committed.

Arguments: bootstrap server, prefix, topic, its partitions and identity, group. It runs until it is killed.
"""

import asyncio
import sys
from collections.abc import Sequence

from memory_generation_registry import MemoryGenerationRegistry

from chat4all_core.adapters.kafka.event_log import open_event_log
from chat4all_core.config import KafkaSection
from chat4all_core.ports.event_log import Record
from chat4all_core.ports.generation_registry import TopicGeneration


async def main(server: str, prefix: str, topic: str, partitions: str, identity: str, group: str) -> None:
    """Read, commit, and say so once the broker has certainly heard of it."""
    section = KafkaSection(bootstrap_servers=(server,), topic_prefix=prefix, min_in_sync=1)
    registry = MemoryGenerationRegistry(TopicGeneration(topic, 1, int(partitions), identity))
    async with open_event_log(section, registry, [topic]) as log:
        consumer = log.consumer(topic, group)
        await consumer.start(_pass, _pass)
        handled: Sequence[Record] = []
        while True:
            records = await consumer.poll(1_000, 1.0)
            await asyncio.sleep(0.5)  # what was handed to commit before the poll is with the broker 0.1 s after it
            for source in (record.source for record in handled):
                print(source.generation, source.partition, source.offset, flush=True)
            await consumer.commit({record.source.partition: record.source.offset + 1 for record in records})
            handled = records


async def _pass(partitions: Sequence[int]) -> None:
    pass


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
