"""Use case: see how the platform does."""

from collections.abc import Mapping
from dataclasses import dataclass

from chat4all_core.app.engine_parts import Question, reasons_away
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.clock import Clock


@dataclass(frozen=True, slots=True)
class SystemStatus:
    """What a server sees."""

    parts: Mapping[str, bool]
    """By name: whether it can be used."""
    started_at: Timestamp
    """When this server was."""

    @property
    def ready(self) -> bool:
        """Whether every part can be used."""
        return all(self.parts.values())


class ReadSystemStatus:
    """Asks every part."""

    def __init__(self, parts: Mapping[str, Question], clock: Clock) -> None:
        self._parts = parts
        self._started_at = clock()

    async def __call__(self) -> SystemStatus:
        """How it is now."""
        away = await reasons_away(self._parts)
        return SystemStatus({name: name not in away for name in self._parts}, self._started_at)
