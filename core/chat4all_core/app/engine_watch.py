"""Which parts have been away for so long that a process can't be said to work."""

import asyncio
from collections.abc import Callable, Mapping

import structlog

from chat4all_core.app.engine_parts import Question, reasons_away

AWAY_SECONDS = 10.0
"""A broker, node or connection that fails is replaced by others within some seconds, which calls wait out or are
refused one by one. Only what takes longer is a reason to send callers elsewhere."""

INTERVAL = 1.0
"""Seconds between two questions."""

_log = structlog.get_logger(__name__)


class EngineWatch:
    """Asks again and again."""

    def __init__(self, parts: Mapping[str, Question], now: Callable[[], float]) -> None:
        """`now`: seconds of a clock that only goes forward."""
        self._parts = parts
        self._now = now
        self._answered_at = dict.fromkeys(parts, float("-inf"))
        self._away: Mapping[str, str] = dict.fromkeys(parts, "it was not asked yet")

    @property
    def away(self) -> Mapping[str, str]:
        """Why, by name, of those that could not be used for longer than AWAY_SECONDS, or never yet."""
        return self._away

    async def check(self) -> None:
        """Ask once."""
        reasons = await reasons_away(self._parts)
        now = self._now()
        for name in self._parts.keys() - reasons.keys():
            self._answered_at[name] = now
        away = {n: reason for n, reason in reasons.items() if now - self._answered_at[n] > AWAY_SECONDS}
        for name in away.keys() - self._away.keys():
            _log.error("is away", part=name, cause=away[name])
        for name in self._away.keys() - away.keys():
            _log.info("can be used", part=name)
        self._away = away

    async def watch(self) -> None:
        """Ask for ever."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.check()
