"""Use case: see how the platform does."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass

from chat4all_core.domain.errors import RetryableError
from chat4all_core.domain.ids import ParticipantId, UserId
from chat4all_core.domain.timestamp import Timestamp
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.event_log import EventLog
from chat4all_core.ports.user_store import UserStore
from chat4all_core.ports.user_stream import UserStream

_PATIENCE = 2.0  # seconds that a part may take to answer

_NOBODY = UserId(ParticipantId("00000000-0000-0000-0000-000000000000"))


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

    def __init__(self, *, log: EventLog, users: UserStore, streams: UserStream, clock: Clock) -> None:
        self._log = log
        self._users = users
        self._streams = streams
        self._started_at = clock()

    async def __call__(self) -> SystemStatus:
        """How it is now."""
        log, stores, streams = await asyncio.gather(
            _answers(self._log.ready()),
            _answers(self._users.get(_NOBODY)),
            _answers(self._streams.head(_NOBODY)),
        )
        parts = {"event_log": log is True, "stores": stores is not False, "streams": streams is not False}
        return SystemStatus(parts, self._started_at)


async def _answers(question: Awaitable[object]) -> object:
    """The answer, or False when there is none."""
    try:
        async with asyncio.timeout(_PATIENCE):
            return await question
    except (RetryableError, TimeoutError):
        return False
