"""A connector with all its parts."""

import random
import uuid
from collections.abc import Sequence

from chat4all_channels.channel import ChannelAccount
from chat4all_core.domain.channel import ChannelName
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.engine import Engine
from chat4all_core.ports.event_codec import EventCodec
from chat4all_core.ports.rate_limiter import RateLimiter
from chat4all_core.telemetry.metrics import Metrics
from chat4all_workers.delivery.connector import Connector
from chat4all_workers.delivery.deliver import Deliver
from chat4all_workers.delivery.delivery_files import DeliveryFiles
from chat4all_workers.delivery.handle_job import HandleJob
from chat4all_workers.delivery.job_reader import JobReader
from chat4all_workers.delivery.load import Bounds
from chat4all_workers.delivery.outlet import Outlet
from chat4all_workers.delivery.outlet_watch import OutletWatch
from chat4all_workers.delivery.record_accepted import RecordAccepted
from chat4all_workers.delivery.tell_part import TellPart

LEASE_SECONDS = 45.0
"""Longer than any call to a channel takes (30 s): who holds a claim beyond it is gone."""


def build_connector(
    channel: ChannelName,
    accounts: Sequence[ChannelAccount],
    engine: Engine,
    *,
    files: DeliveryFiles,
    limiter: RateLimiter,
    codec: EventCodec,
    clock: Clock,
    metrics: Metrics,
    max_rejections: int,
    lease_seconds: float = LEASE_SECONDS,
) -> Connector:
    """Called within the event loop that it will run in. `accounts` are those on the channel, at least one. A call that
    takes longer than the lease is given up, and UNKNOWN."""
    rng = random.Random()
    outlets = [Outlet(account, limiter, rng) for account in accounts]
    watch = OutletWatch(channel, outlets, metrics)
    tell_part = TellPart(
        ledger=engine.ledger,
        record_accepted=RecordAccepted(engine.provider_messages, engine.log),
        clock=clock,
        owner=str(uuid.uuid4()),
        lease_seconds=lease_seconds,
        may_wait=watch.is_blocked,
        rng=rng,
        metrics=metrics,
    )
    deliver = Deliver(
        outlets=outlets,
        tell_part=tell_part,
        ledger=engine.ledger,
        provider_messages=engine.provider_messages,
        contacts=engine.contacts,
        files=files,
        log=engine.log,
        codec=codec,
        clock=clock,
        metrics=metrics,
    )
    return Connector(
        channel,
        watch=watch,
        handle=HandleJob(deliver, engine.log, clock),
        reader=JobReader(codec),
        deferred=engine.deferred,
        log=engine.log,
        clock=clock,
        rng=rng,
        metrics=metrics,
        max_rejections=max_rejections,
        bounds=Bounds(),
    )
