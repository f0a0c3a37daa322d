"""Whether an account may tell its channel anything now: a circuit breaker whose callers wait.

Words. The gate is *open*, or *paused* until a point in time (the channel asked for that, did not answer, or had
trouble), or *stopped* (it takes nothing from this account until somebody sees to it). When the time has come, one
call, the *probe*, goes through; how it ends decides for all others. A *ticket* tells which opening of the gate a call
went through.
"""

import asyncio
import contextlib
import random
from enum import Enum

import structlog

from chat4all_channels.outcome import AccountRefused, Outcome, RetryAfter, Scope, Undecided
from chat4all_core.domain.channel import AccountId, ChannelName
from chat4all_workers.delivery.backoff import Backoff

_BACKOFF = Backoff(first=0.5, longest=60.0)
_STOPPED_SECONDS = 300.0
"""After which a stopped account is tried again: whoever gave it a new token need not restart anything."""
_SILENT_CALLS = 5
"""So many calls in a row without an answer close the gate: each leaves a message of which nobody knows whether it
arrived, so there must not be many."""
_TROUBLED_PEOPLE = 5
"""So many people in a row for whom the channel had only trouble close it too: it is not the message."""

_PROBE_SECONDS = 5.0
"""How long a probe is taken to last: most are quicker, few take as long as a call may."""
_SHORT_SECONDS = 2.0
"""For a pause that ends sooner it is not worth while to stop reading, or to put anything aside."""
_MOMENT = 0.001
"""Seconds; a shorter wait may be too short for a clock to notice."""


class GateState(Enum):
    """For operators."""

    OPEN = "open"
    PAUSED = "paused"
    STOPPED = "stopped"


class AccountGate:
    """Of one account, in one event loop, whose clock it uses."""

    def __init__(self, channel: ChannelName, account: AccountId, rng: random.Random) -> None:
        self._rng = rng
        self._log = structlog.get_logger(channel=channel, account=account)
        self._state = GateState.OPEN
        self._epoch = 0
        self._until = 0.0
        self._probing = False
        self._failures = 0
        """Closings since the gate was last opened."""
        self._silent = 0
        self._troubled: set[str] = set()
        self._changed = asyncio.Event()

    @property
    def state(self) -> GateState:
        """What it is now."""
        return self._state

    def closed_for(self) -> float:
        """Seconds until a call may go through, as far as that is known; 0 when one may now."""
        if self._state is GateState.OPEN:
            return 0.0
        return _PROBE_SECONDS if self._probing else max(0.0, self._until - _now())

    @property
    def is_closed_for_long(self) -> bool:
        """Whether what waits for it should wait elsewhere than in memory."""
        return self.closed_for() > _SHORT_SECONDS

    async def enter(self, patience: float) -> int | None:
        """Wait until a call may go through, for so many seconds at most; a ticket for it, which must be given back by
        `report` or `abandon`."""
        give_up_at = _now() + patience
        while self._state is not GateState.OPEN:
            if not self._probing and _now() >= self._until:
                self._probing = True
                break
            if _now() >= give_up_at:
                return None
            changed, at = self._changed, give_up_at if self._probing else min(give_up_at, self._until)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(changed.wait(), max(at - _now(), _MOMENT))
        return self._epoch

    def is_current(self, ticket: int) -> bool:
        """Whether nothing has happened since that would keep the call back."""
        return ticket == self._epoch

    def abandon(self, ticket: int) -> None:
        """There was no call."""
        if ticket == self._epoch and self._probing:
            self._probing = False
            self._notify()

    def report(self, ticket: int, to: str, outcome: Outcome) -> None:
        """How the call to a recipient ended."""
        match outcome:
            case RetryAfter(seconds, Scope.ACCOUNT, code, cause):
                self._close(ticket, GateState.PAUSED, seconds, f"{code}: {cause}")
            case RetryAfter(seconds, Scope.CHANNEL, code, cause):
                self._troubled.add(to)
                if self._probing or len(self._troubled) >= _TROUBLED_PEOPLE:
                    self._close(ticket, GateState.PAUSED, seconds, f"{code}: {cause}")
            case AccountRefused(failure):
                self._close(ticket, GateState.STOPPED, _STOPPED_SECONDS, f"{failure.code}: {failure.reason}")
            case Undecided(cause):
                self._silent += 1
                if self._probing or self._silent >= _SILENT_CALLS:
                    self._close(ticket, GateState.PAUSED, 0.0, cause)
            case _:
                self._silent = 0
                self._troubled.clear()
                self._open(ticket)

    def _close(self, ticket: int, state: GateState, seconds: float, cause: str) -> None:
        if ticket != self._epoch:
            # It began before the gate was closed, and says nothing new, but perhaps for how long.
            if self._state is not GateState.OPEN and seconds:
                self._until = max(self._until, _now() + seconds)
            return
        self._failures += 1
        wait = seconds or _BACKOFF.seconds(self._failures, self._rng)
        self._until = _now() + wait
        if state is GateState.STOPPED:
            self._log.error("the channel takes nothing from this account: see to it", cause=cause, next_try=wait)
        else:
            self._log.warning("the channel wants a pause from this account", cause=cause, seconds=wait)
        self._enter_state(state)

    def _open(self, ticket: int) -> None:
        if ticket != self._epoch or self._state is GateState.OPEN:
            return
        self._failures = 0
        self._log.info("the channel takes messages from this account again")
        self._enter_state(GateState.OPEN)

    def _enter_state(self, state: GateState) -> None:
        self._state = state
        self._epoch += 1
        self._probing = False
        self._silent = 0
        self._troubled.clear()
        self._notify()

    def _notify(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


def _now() -> float:
    return asyncio.get_running_loop().time()
