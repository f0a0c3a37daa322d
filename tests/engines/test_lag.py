"""How far workers are behind, on a real Kafka."""

import asyncio
from collections.abc import Mapping

import pytest
from engine_endpoints import engine_endpoints
from kafka_platform import PARTITIONS, KafkaPlatform
from prometheus_client import CollectorRegistry

from chat4all_core.adapters.kafka.log_admin import KafkaLogAdmin
from chat4all_core.app.read_lag import ReadLag
from chat4all_core.ports.event_log import GROUPS, MESSAGE_ACCEPTED
from chat4all_core.telemetry.metrics import Metrics
from chat4all_server.lag_report import LagReport

ENDPOINT = engine_endpoints().get("kafka")
pytestmark = pytest.mark.skipif(ENDPOINT is None, reason="needs a Kafka: see `make test-engines`")


def reported(registry: CollectorRegistry) -> Mapping[int, float]:
    """The router's lag by partition, as Prometheus would read it."""
    return {
        int(sample.labels["partition"]): sample.value
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "chat4all_log_lag_records" and sample.labels["role"] == "router"
    }


async def test_the_lag_is_what_is_not_committed() -> None:
    """Every partition of the router's topic has a lag: all that was appended while no router has ever run, less what
    one has committed since."""
    platform = KafkaPlatform(ENDPOINT)
    await platform.new_topic(MESSAGE_ACCEPTED)
    metrics = Metrics(registry := CollectorRegistry())
    report = LagReport(ReadLag(registry=platform.registry, log=KafkaLogAdmin(platform.section), channels=()), metrics)
    async with platform.open_log() as log:
        sources = [await log.append(MESSAGE_ACCEPTED, "key", b"value") for _ in range(5)]
        partition = sources[0].partition
        await report.refresh()
        assert reported(registry) == dict.fromkeys(range(PARTITIONS), 0) | {partition: 5}

        (group,) = GROUPS[MESSAGE_ACCEPTED]
        consumer = log.consumer(MESSAGE_ACCEPTED, group)
        await consumer.start(_ignore, _ignore)
        async with asyncio.timeout(60):
            while not await consumer.poll(10, 1):
                pass
            await consumer.commit({partition: 2})
            await consumer.close()
            while reported(registry)[partition] != 3:
                await report.refresh()


async def _ignore(_: object) -> None:
    return
