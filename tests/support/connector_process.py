"""A program that is the connector of WhatsApp on an embedded platform, until there is evidence of so many deliveries.

Arguments: the data directory, the URL of the simulators, the number of deliveries.
"""

import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import aiohttp
from prometheus_client import CollectorRegistry

from chat4all_channels.account_config import WhatsAppConfig
from chat4all_channels.whatsapp.account import WhatsAppAccount
from chat4all_core.adapters.folder.folder_object_store import FolderObjectStore
from chat4all_core.adapters.folder.link import LinkSigner
from chat4all_core.adapters.memory.rate_limiter import MemoryRateLimiter
from chat4all_core.adapters.protobuf.event_codec import ProtobufEventCodec
from chat4all_core.adapters.sqlite.engine import open_engine
from chat4all_core.domain.channel import ChannelName
from chat4all_core.domain.delivery import DeliveryEvidence
from chat4all_core.ports.clock import system_clock
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.event_log import STATUS_UPDATED
from chat4all_core.setting import Secret
from chat4all_core.telemetry.metrics import Metrics
from chat4all_workers.delivery.build_connector import build_connector
from chat4all_workers.delivery.delivery_files import DeliveryFiles

WHATSAPP = ChannelName("whatsapp")
LEASE_SECONDS = 8.0
"""Shorter than a real one, so that a test need not wait for long; far longer than a simulated channel takes."""


def account_config(url: str) -> WhatsAppConfig:
    """The simulators' development account."""
    return WhatsAppConfig(
        phone_number_id="100000000000001",
        access_token=Secret("whatsapp-development-token"),
        template="new_message",
        template_language="en_US",
        base_url=f"{url}/whatsapp/v23.0",
    )


async def main(data_dir: Path, url: str, deliveries: int) -> None:
    """Work, and end in good order."""
    codec, metrics = ProtobufEventCodec(), Metrics(CollectorRegistry())
    async with open_engine(data_dir, system_clock) as engine, aiohttp.ClientSession() as session:
        signer = LinkSigner(b"0" * 32, system_clock)
        objects = await FolderObjectStore.open(data_dir / "files", signer, system_clock, "http://localhost")
        connector = build_connector(
            WHATSAPP,
            [WhatsAppAccount(account_config(url), session)],
            engine,
            files=DeliveryFiles(objects, 60),
            limiter=MemoryRateLimiter(time.monotonic),
            codec=codec,
            clock=system_clock,
            metrics=metrics,
            max_rejections=100,
            lease_seconds=LEASE_SECONDS,
        )
        running = asyncio.create_task(connector.run())
        await read_evidence(engine, codec, deliveries)
        connector.stop()
        await running
        await objects.aclose()


async def read_evidence(engine: Engine, codec: ProtobufEventCodec, deliveries: int) -> Sequence[DeliveryEvidence]:
    """What was said of deliveries, once something was said of so many."""
    consumer = engine.log.consumer(STATUS_UPDATED, "reader of evidence")
    await consumer.start(_pass, _pass)
    found: list[DeliveryEvidence] = []
    while len({evidence.sequence for evidence in found}) < deliveries:
        decoded = [codec.decode_status(record.value) for record in await consumer.poll(1_000, 0.2)]
        found += [status for status in decoded if isinstance(status, DeliveryEvidence)]
    await consumer.close()
    return found


async def _pass(partitions: Sequence[int]) -> None:
    pass


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
