"""Moving a topic of the event log to its next generation, while servers and workers run."""

import asyncio

from chat4all_core.adapters.cassandra.generation_registry import open_generation_registry
from chat4all_core.adapters.kafka.log_admin import KafkaLogAdmin
from chat4all_core.app.open_generation import OpenGeneration, TopicLostError, TopicUnknownError
from chat4all_core.config import Settings
from chat4all_core.distributed.setup import ENGINE_ERRORS

MOVE_ERRORS = (*ENGINE_ERRORS, TopicLostError, TopicUnknownError)
"""Why a topic was not moved, for whoever operates it: the message says it all."""


async def move_topic(settings: Settings, topic: str, partitions: int, *, lost: bool) -> None:
    """See OpenGeneration. Says what it does, line by line, on standard output.

    Raises:
        Those in MOVE_ERRORS. It may be called again after any of them, or after an interruption.
    """
    async with open_generation_registry(settings.cassandra) as registry:
        opening = OpenGeneration(
            registry=registry,
            log=KafkaLogAdmin(settings.kafka),
            tell=lambda line: print(line, flush=True),
            sleep=asyncio.sleep,
        )
        await opening(topic, partitions, lost=lost)
