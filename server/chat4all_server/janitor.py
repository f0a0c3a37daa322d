"""Work that is done again and again in the background."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from chat4all_core.domain.errors import UnavailableError

_log = structlog.get_logger(__name__)


class Janitor:
    """Cleans up every so often; servers may do so side by side."""

    def __init__(self, clean_up: Callable[[], Awaitable[object]], interval: float) -> None:
        self._clean_up = clean_up
        self._interval = interval

    async def run(self) -> None:
        """Clean up for ever. What fails is tried again the next time."""
        while True:
            await asyncio.sleep(self._interval)
            try:
                done = await self._clean_up()
                _log.debug("cleaned_up", done=done)
            except UnavailableError as error:
                _log.warning("clean_up_put_off", error=error.message)
            except Exception:
                _log.exception("clean_up_failed")
