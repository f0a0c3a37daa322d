"""What the cluster says of topics."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from chat4all_core.adapters.kafka.client_config import REQUEST_TIMEOUT, code_of, unavailable
from chat4all_core.adapters.kafka.topic import TopicError
from chat4all_core.ports.generation_registry import TopicGeneration

_PAUSE = 0.05
_FIRST_TRY = 1.0  # seconds


@dataclass(frozen=True, slots=True)
class TopicDescription:
    """A topic as the cluster has it now."""

    name: str
    identity: str
    partitions: int
    least_in_sync: int
    """The fewest in-sync replicas that any of its partitions has; 0 where one has no leader."""

    def require(self, registered: TopicGeneration) -> None:
        """Raise TopicError unless this is the topic that was registered."""
        if self.identity != registered.identity:
            raise TopicError(
                f"{self.name} was made anew since it was registered: what was in it is lost, so it must not go on "
                "under the same generation. Delete it and open the topic's next generation."
            )
        if self.partitions != registered.partitions:
            raise TopicError(
                f"{self.name} has {self.partitions} partitions, registered are {registered.partitions}: a topic is "
                "never re-partitioned in place. Open its next generation."
            )


async def describe_topics(
    admin: AdminClient, names: Sequence[str], timeout: float = REQUEST_TIMEOUT
) -> Mapping[str, TopicDescription]:
    """Those of the topics that exist.

    Raises:
        UnavailableError: no broker can tell.
    """
    # The client asks the broker that it takes for the controller, which in KRaft is any, and does not look for another
    # one when that is away: it would wait for it for ever, and burn a core meanwhile. What tells it of another is an
    # answer to a request for metadata, which it sends to any broker that is there.
    try:
        try:
            return await _describe(admin, names, min(timeout, _FIRST_TRY))
        except KafkaException as error:
            if code_of(error) != KafkaError._TIMED_OUT:
                raise
            await asyncio.to_thread(admin.list_topics, names[0], timeout)
            return await _describe(admin, names, timeout)
    except KafkaException as error:
        raise unavailable(error) from error


async def _describe(admin: AdminClient, names: Sequence[str], timeout: float) -> Mapping[str, TopicDescription]:
    answers = admin.describe_topics(TopicCollection(list(names)), request_timeout=timeout)
    found = {}
    for name, answer in answers.items():
        try:
            topic = await asyncio.wrap_future(answer)
        except KafkaException as error:
            if code_of(error) == KafkaError.UNKNOWN_TOPIC_OR_PART:
                continue
            raise
        in_sync = [len(p.isr) if p.leader is not None and p.leader.id >= 0 else 0 for p in topic.partitions]
        found[name] = TopicDescription(name, str(topic.topic_id), len(in_sync), min(in_sync, default=0))
    return found


async def find_topics(admin: AdminClient, names: Sequence[str]) -> Mapping[str, TopicDescription]:
    """Those of the topics that exist, after asking for a while for what is missing: a broker learns of a topic a little
    later than the one that has made it, and one that has just started knows of none.

    Raises:
        UnavailableError: no broker can tell.
    """
    give_up = time.monotonic() + REQUEST_TIMEOUT
    while True:
        found = await describe_topics(admin, names)
        if len(found) == len(set(names)) or time.monotonic() > give_up:
            return found
        await asyncio.sleep(_PAUSE)
