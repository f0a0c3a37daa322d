"""The event log on three brokers, of which one is killed."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial

import pytest
from engine_endpoints import VARIABLE
from engine_under_test import eventually
from kafka_platform import PARTITIONS, KafkaPlatform
from tools.engines import Engines, FreePorts

from chat4all_core.adapters.kafka.log_admin import KafkaLogAdmin
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.ports.event_log import EventLog

pytestmark = [
    pytest.mark.skipif(not os.environ.get(VARIABLE), reason="brings up three brokers: see `make test-engines`"),
    pytest.mark.timeout(600),
]


@pytest.fixture(scope="module")
def engines(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engines]:
    """Brokers of our own."""
    engines = Engines(tmp_path_factory.mktemp("engines"))
    engines.up(["kafka"], sizes={"kafka": 3}, ports={"kafka": FreePorts()})
    yield engines
    engines.down(wipe=True)


async def test_every_process_goes_on_without_any_one_broker(engines: Engines) -> None:
    """Whichever broker is killed, every log is ready and takes appends to all partitions while it is away: also one
    whose client took that broker for the controller, as it does any. And how far groups have come can be told, though
    their coordinators move."""
    platform = KafkaPlatform(engines.endpoint("kafka"))
    topic = await platform.new_topic()
    generation = (await platform.registry.current())[topic]
    admin, groups = KafkaLogAdmin(platform.section), [f"group-{n}" for n in range(6)]
    async with AsyncExitStack() as stack:
        logs = [await stack.enter_async_context(platform.open_log()) for _ in range(4)]
        for log in logs:
            await eventually(log.ready)
        for broker in ("kafka-1", "kafka-2", "kafka-3"):
            await asyncio.to_thread(engines.kill, broker)
            for log in logs:
                await eventually(log.ready)
                await eventually(partial(_takes_appends, log, topic))
            assert len(await admin.positions(generation, groups)) == len(groups) * PARTITIONS
            await asyncio.to_thread(engines.start, broker)
            for log in logs:
                await eventually(log.ready)


async def _takes_appends(log: EventLog, topic: str) -> bool:
    """To every partition."""
    try:
        await asyncio.gather(*(log.append(topic, f"key-{n}", b"value") for n in range(4 * PARTITIONS)))
    except UnavailableError:  # as until a partition has a new leader
        return False
    return True
