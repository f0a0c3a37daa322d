"""The long polling of one bot: getUpdates."""

import asyncio

from tools.simulators.json_value import JsonObject

from .bot import Bot
from .errors import TelegramError, bad_request
from .parameters import Parameters

_MAX_WAIT = 50
_MAX_UPDATES = 100


class Polling:
    """At most one poller waits; a second one ends the first."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._waiting: asyncio.Future[None] | None = None

    async def get_updates(self, parameters: Parameters) -> list[JsonObject]:
        """The oldest unconfirmed updates, as soon as there are some, or none after the timeout.

        Raises:
            TelegramError: 409, another poller came.
        """
        queue = self._bot.updates
        allowed = parameters.object("allowed_updates")
        if isinstance(allowed, list):
            queue.allowed = [str(each) for each in allowed]
        queue.confirm_below(parameters.number("offset") or 0)
        given = parameters.number("limit")
        limit = _MAX_UPDATES if given is None else given
        if not 1 <= limit <= _MAX_UPDATES:
            raise bad_request(f"limit must be between 1 and {_MAX_UPDATES}")
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)
        wait = min(_MAX_WAIT, max(0, parameters.number("timeout") or 0))
        if not len(queue) and wait:
            await self._wait(wait, queue.added)
        return [update.json() for update in queue.read(limit)]

    async def _wait(self, seconds: float, added: int) -> None:
        replaced: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting = replaced
        arrival = asyncio.create_task(self._bot.updates.wait(added))
        try:
            await asyncio.wait({replaced, arrival}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            arrival.cancel()
            if self._waiting is replaced:
                self._waiting = None
        if replaced.done():
            raise TelegramError(
                409,
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
            )
