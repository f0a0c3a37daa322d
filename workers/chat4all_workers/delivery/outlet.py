"""An account of ours with all that keeps it within its limits."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

from chat4all_channels.channel import ChannelAccount
from chat4all_channels.outcome import Outcome, Undecided
from chat4all_core.domain.errors import ResourceExhaustedError, UnavailableError
from chat4all_core.ports.rate_limiter import RateLimit, RateLimiter
from chat4all_workers.delivery.account_gate import AccountGate
from chat4all_workers.delivery.calls_under_way import CallsUnderWay
from chat4all_workers.delivery.pacer import Pacer

_LOOK_SECONDS = 1.0
"""How often whoever waits at a closed gate looks whether it still may."""


@dataclass(frozen=True, slots=True)
class Permit:
    """A message may be told to a recipient, at once."""

    to: str
    ticket: int
    """Of the gate."""
    begun: int
    """Of the calls under way."""


@dataclass(frozen=True, slots=True)
class Closed:
    """The account tells its channel nothing for a while."""

    seconds: float
    """For how long, as far as that is known."""


class Outlet:
    """A call needs a permit: tokens of its recipient and of the account, and a gate that is open. Who waits for a
    recipient's tokens holds nobody else up. Those for the account are given in turn."""

    def __init__(self, account: ChannelAccount, limiter: RateLimiter, rng: random.Random) -> None:
        self.account = account
        self.gate = AccountGate(account.capabilities.channel, account.account_id, rng)
        self._limiter = limiter
        self._key = f"channel:{account.capabilities.channel}:{account.account_id}"
        limits = account.limits
        self._limit = _with_less_at_once(limits.account, limits.account.burst // 2)
        self._recipient_limit = _with_less_at_once(limits.recipient, limits.recipient.burst - 1)
        self._calls = CallsUnderWay()
        self._pacer = Pacer(self._limit)
        self._turn = asyncio.Lock()

    async def permit(self, to: str, may_wait: Callable[[], bool]) -> Permit | Closed:
        """Wait until a message may be told to a recipient; the permit must be given back by `done`. A call is one
        message: what is tried again needs a permit again.

        Args:
            to: the recipient.
            may_wait: whether a gate that is closed for long may be waited for; else that is Closed.
        """
        if (closed := self._closed(may_wait)) is not None:
            return closed
        await self._take(f"{self._key}:{to}", self._recipient_limit)
        async with self._turn:
            begun = await self._calls.begin()
            ticket: int | Closed | None = None
            try:
                ticket = await self._account_permit(may_wait)
            finally:
                if not isinstance(ticket, int):
                    self._calls.end(begun, answered=False)
        return Permit(to, ticket, begun) if isinstance(ticket, int) else ticket

    async def begin(self) -> None:
        """To be awaited right before the call. What came between permit and call, such as an engine that stood still
        for a second, may have let calls gather, which the channel would refuse if they came to it together."""
        await self._pacer.turn()

    def done(self, permit: Permit, outcome: Outcome | None) -> None:
        """How the call ended; None: there was none."""
        self._calls.end(permit.begun, answered=outcome is not None and not isinstance(outcome, Undecided))
        if outcome is None:
            self.gate.abandon(permit.ticket)
        else:
            self.gate.report(permit.ticket, permit.to, outcome)

    def _closed(self, may_wait: Callable[[], bool]) -> Closed | None:
        return Closed(self.gate.closed_for()) if self.gate.is_closed_for_long and not may_wait() else None

    async def _account_permit(self, may_wait: Callable[[], bool]) -> int | Closed:
        while (closed := self._closed(may_wait)) is None:
            ticket = await self.gate.enter(_LOOK_SECONDS)
            if ticket is None:
                continue
            try:
                await self._take(self._key, self._limit)
            except BaseException:
                self.gate.abandon(ticket)
                raise
            if self.gate.is_current(ticket):
                return ticket
        return closed

    async def _take(self, key: str, limit: RateLimit) -> None:
        while True:
            try:
                await self._limiter.take(key, limit)
            except (ResourceExhaustedError, UnavailableError) as error:
                # Waking late costs nothing: the bucket has gone on filling.
                await asyncio.sleep(error.retry_after)
            else:
                return


def _with_less_at_once(limit: RateLimit, burst: int) -> RateLimit:
    """The same rate with a smaller burst. The channel counts calls when they arrive, and some take longer than others:
    had we used up its burst, the next calls would come too early whenever they are quicker than those before."""
    return RateLimit(limit.rate, max(1, burst))
