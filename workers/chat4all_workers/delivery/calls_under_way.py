"""How many calls an account makes at a time."""

import asyncio

_MOST = 256
"""Enough for a channel that answers in 0.25 s to be told 1,000 messages a second."""
_UNHEARD = 32
"""Begun since the channel last answered. When a channel goes silent, nobody knows what became of those that are under
way, so there must not be many; one that answers late is told more with each answer."""


class CallsUnderWay:
    """Of one account, in one event loop. Not more than one task at a time may wait for `begin`."""

    def __init__(self) -> None:
        self._count = 0
        self._unheard = 0
        self._answers = 0
        self._ended = asyncio.Event()

    async def begin(self) -> int:
        """Wait until a call may be made; what `end` is to be given."""
        while self._count >= _MOST or self._unheard >= _UNHEARD:
            self._ended.clear()
            await self._ended.wait()
        self._count += 1
        self._unheard += 1
        return self._answers

    def end(self, begun: int, *, answered: bool) -> None:
        """The call is over, or was not made."""
        self._count -= 1
        if answered:
            self._answers += 1
            self._unheard = 0
        elif begun == self._answers:
            self._unheard -= 1
        self._ended.set()
