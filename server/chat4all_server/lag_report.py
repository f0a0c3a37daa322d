"""How far workers are behind, as a metric."""

import asyncio
from collections.abc import Sequence

import structlog

from chat4all_core.app.read_lag import ReadLag
from chat4all_core.domain.errors import UnavailableError
from chat4all_core.ports.log_admin import ReaderPosition
from chat4all_core.telemetry.metrics import Metrics

_INTERVAL = 10.0
"""Seconds. It takes some requests to the brokers each time, and alerts look at minutes."""

_log = structlog.get_logger(__name__)


class LagReport:
    """Kept by every server, so that it is there while any of them runs. All say the same."""

    def __init__(self, read_lag: ReadLag, metrics: Metrics) -> None:
        self._read_lag = read_lag
        self._gauge = metrics.log_lag

    async def run(self) -> None:
        """Keep it up to date, for ever. While the lag can't be known, none is told: an old one would mislead."""
        while True:
            await self.refresh()
            await asyncio.sleep(_INTERVAL)

    async def refresh(self) -> None:
        """Ask once."""
        positions = await self._positions()
        # Also of the partitions of an earlier generation.
        self._gauge.clear()
        for position in positions:
            role = position.group.removeprefix("chat4all.")
            self._gauge.labels(role=role, partition=str(position.partition)).set(max(0, position.unread))

    async def _positions(self) -> Sequence[ReaderPosition]:
        try:
            return await self._read_lag()
        except UnavailableError as error:
            _log.debug("how far workers are behind is not known now", cause=str(error))
        except Exception:  # the server is there to serve, whatever its metrics can't say
            _log.exception("how far workers are behind can't be asked")
        return []
