"""The registry of generations, in a compacted topic of the cluster itself.

It is lost when the whole cluster is. Then stored sources lie beyond the end of the new log, which halts their
partitions loudly, and an operator opens the topics with a higher generation.
"""

import asyncio
import json
import time
from collections.abc import Mapping
from dataclasses import replace

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition

from chat4all_core.adapters.kafka.client_config import REQUEST_TIMEOUT, client_config, code_of, unavailable
from chat4all_core.config import KafkaSection
from chat4all_core.ports.generation_registry import TopicGeneration

REGISTRY_TOPIC = "chat4all.generations.v1"


class KafkaGenerationRegistry:
    """Implements GenerationRegistry. The topic is made by `ensure_topics`; without it nothing is registered."""

    def __init__(self, section: KafkaSection) -> None:
        self._config = client_config(section)
        self._topic = f"{section.topic_prefix}{REGISTRY_TOPIC}"

    async def current(self) -> Mapping[str, TopicGeneration]:
        """See GenerationRegistry.current."""
        return await asyncio.to_thread(self._read)

    async def register(self, opened: TopicGeneration) -> None:
        """See GenerationRegistry.register."""
        current = (await self.current()).get(opened.topic)
        if current == opened:
            return
        if current is not None and opened.generation != current.generation + 1:
            raise ValueError(f"{opened.topic}: generation {opened.generation} does not follow {current.generation}")
        await asyncio.to_thread(self._write, opened)

    def _read(self) -> dict[str, TopicGeneration]:
        config = {
            "group.id": self._topic,
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "fetch.wait.max.ms": 10,
        }
        consumer = Consumer(self._config | config)
        try:
            consumer.list_topics(self._topic, REQUEST_TIMEOUT)  # the client finds the leader half a second sooner so
            consumer.assign([TopicPartition(self._topic, 0, OFFSET_BEGINNING)])
            return self._read_to_the_end(consumer)
        except KafkaException as error:
            raise unavailable(error) from error
        finally:
            consumer.close()

    def _read_to_the_end(self, consumer: Consumer) -> dict[str, TopicGeneration]:
        found: dict[str, TopicGeneration] = {}
        deadline = time.monotonic() + REQUEST_TIMEOUT
        while time.monotonic() < deadline:
            message = consumer.poll(0.1)
            if message is None:
                continue
            error = message.error()
            if error is None:
                registered = _decode(message.key() or b"", message.value() or b"")
                found[registered.topic] = registered
            elif error.code() == KafkaError._PARTITION_EOF:
                return found
            elif error.code() in (KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_PARTITION):
                return {}
            elif not error.retriable() and error.code() not in (KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN):
                raise unavailable(error)
        raise unavailable("the registered generations can't be read")

    def _write(self, opened: TopicGeneration) -> None:
        answers: list[KafkaError | None] = []
        timeout = {"delivery.timeout.ms": int(REQUEST_TIMEOUT * 1_000)}
        producer = Producer(self._config | timeout | {"acks": "all", "enable.idempotence": True})
        try:
            producer.produce(
                self._topic, _encode(opened), opened.topic, 0, on_delivery=lambda error, _: answers.append(error)
            )
            producer.flush(REQUEST_TIMEOUT * 2)
        except KafkaException as error:
            raise unavailable(f"{error} ({code_of(error)})") from error
        if answers != [None]:
            raise unavailable(f"the generation may not be registered: {answers}")


def _encode(registered: TopicGeneration) -> str:
    return json.dumps(
        {
            "generation": registered.generation,
            "partitions": registered.partitions,
            "identity": registered.identity,
        }
    )


def _decode(key: bytes, value: bytes) -> TopicGeneration:
    # What a later release adds is passed over.
    fields = json.loads(value)
    blank = TopicGeneration(key.decode(), 0, 0, "")
    known = {name: fields[name] for name in ("generation", "partitions", "identity")}
    return replace(blank, **known)
