"""Sealing a topic: the brokers themselves refuse what is appended from then on, whoever sends it.

A topic is sealed by a limit to the size of its batches that no record of the platform's fits in. That every broker
keeps it is made sure of, for a broker learns of changes a little later than the controller; so a producer that was
frozen, or is cut off from everything but one broker, can't append either.

Then a *mark* is appended to every partition: a record without key, value and headers, which the limit just lets pass.
Once the mark is acknowledged by all replicas in sync, so is everything before it; nothing but marks comes after it.
"""

import asyncio
import time
from collections.abc import Sequence

from confluent_kafka import KafkaError, KafkaException, Message, Producer
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from chat4all_core.adapters.kafka.client_config import REQUEST_TIMEOUT, client_config, unavailable
from chat4all_core.adapters.kafka.topic import TopicError
from chat4all_core.adapters.kafka.topic_admin import alter_topics
from chat4all_core.adapters.kafka.topic_description import find_topics
from chat4all_core.config import KafkaSection

_LIMIT = "max.message.bytes"
_MARK_BYTES = 68
"""A batch of one record without content: 61 of the batch, 7 of the record (format v2). With a key, as every record of
the platform has, it is larger, compressed or not."""

_PROBE = bytes(256)
_TOO_LARGE = KafkaError.MSG_SIZE_TOO_LARGE
_PAUSE = 0.05


async def seal_topic(section: KafkaSection, admin: AdminClient, name: str) -> None:
    """Seal a topic, if it exists. To be repeated after any failure.

    Raises:
        TopicError: the account may not do it.
        UnavailableError: it may be sealed in part, and can't be finished now.
    """
    described = await find_topics(admin, [name])
    if name not in described:
        return
    await alter_topics(admin, {name: {_LIMIT: str(_MARK_BYTES)}})
    await _until_every_broker_knows(admin, name)
    await asyncio.to_thread(_end, section, name, range(described[name].partitions))


async def mark_topic(section: KafkaSection, name: str, partitions: int) -> None:
    """Append a mark to every partition of a topic that is not sealed.

    Raises:
        UnavailableError: not every partition may have one.
    """
    await asyncio.to_thread(lambda: _that_take(_producer(section), name, range(partitions), None))


async def _until_every_broker_knows(admin: AdminClient, name: str) -> None:
    """A broker that leads none of the partitions now may do so later."""
    try:
        cluster = await asyncio.wrap_future(admin.describe_cluster(request_timeout=REQUEST_TIMEOUT))
        async with asyncio.timeout(2 * REQUEST_TIMEOUT):
            for broker in cluster.nodes:
                while await _limit_at(admin, name, broker.id) != _MARK_BYTES:  # noqa: ASYNC110 - brokers have no event
                    await asyncio.sleep(_PAUSE)
    except (KafkaException, TimeoutError) as error:
        raise unavailable(f"{name} is not known to be sealed at every broker: {error}") from error


async def _limit_at(admin: AdminClient, name: str, broker: int) -> int:
    resource = ConfigResource(ResourceType.TOPIC, name)
    (answer,) = admin.describe_configs([resource], broker=broker, request_timeout=REQUEST_TIMEOUT).values()
    return int((await asyncio.wrap_future(answer))[_LIMIT].value)


def _producer(section: KafkaSection) -> Producer:
    config = {"acks": "all", "compression.type": "none", "delivery.timeout.ms": int(REQUEST_TIMEOUT * 1_000)}
    return Producer(client_config(section) | config)


def _end(section: KafkaSection, name: str, partitions: Sequence[int]) -> None:
    """Append the last marks, once nothing else is taken."""
    producer = _producer(section)
    give_up = time.monotonic() + 2 * REQUEST_TIMEOUT
    taking: Sequence[int] = partitions
    # What is configured is soon in force. A probe that comes before is a mark too, if a long one.
    while taking := _that_take(producer, name, taking, _PROBE):
        if time.monotonic() > give_up:
            raise unavailable(f"{name} still takes records")
        time.sleep(_PAUSE)
    if len(_that_take(producer, name, partitions, None)) < len(partitions):
        raise TopicError(f"{name} can't be sealed: a record without content is larger than {_MARK_BYTES} bytes")


def _that_take(producer: Producer, name: str, partitions: Sequence[int], value: bytes | None) -> Sequence[int]:
    """The partitions that a keyless record is durable in; the others have refused it for its size."""
    answers: list[tuple[int, KafkaError | None]] = []

    def note(error: KafkaError | None, message: Message) -> None:
        answers.append((message.partition() or 0, error))

    for partition in partitions:
        producer.produce(name, value, None, partition, note)
    producer.flush(2 * REQUEST_TIMEOUT)
    failed = [f"{partition}: {error}" for partition, error in answers if error and error.code() != _TOO_LARGE]
    if failed or len(answers) < len(partitions):
        raise unavailable(f"{name} can't be marked now: {'; '.join(failed)}")
    return [partition for partition, error in answers if error is None]
