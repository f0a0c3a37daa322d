"""Use case: tell a channel one part of a delivery, once."""

import asyncio
import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from chat4all_channels.channel import Envelope
from chat4all_channels.outcome import Accepted, AccountRefused, Outcome, Refused, RetryAfter, Scope, Undecided
from chat4all_core.domain.delivery import Delivery
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.errors import RetryableError
from chat4all_core.domain.timestamp import SECOND, Timestamp
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.delivery_ledger import Claim, DeliveryLedger, LedgerKey, Settlement
from chat4all_core.telemetry.metrics import Metrics
from chat4all_workers.delivery.backoff import Backoff
from chat4all_workers.delivery.job import Job, Postponed
from chat4all_workers.delivery.outlet import Closed, Outlet, Permit
from chat4all_workers.delivery.parts import Telling, template_of
from chat4all_workers.delivery.patience import persist
from chat4all_workers.delivery.record_accepted import RecordAccepted
from chat4all_workers.delivery.undisturbed import Undisturbed

LONGEST_WAIT = 600.0
"""Seconds for which a delivery waits in memory; one that has to wait for longer is put aside."""

_BACKOFFS = {
    Scope.RECIPIENT: Backoff(first=1.0, longest=900.0),
    # No longer than a gate waits: what is over for others is over for them.
    Scope.CHANNEL: Backoff(first=1.0, longest=60.0),
}
_SKEW = 1.0
"""Seconds by which clocks may differ: so long after its lease a claim is taken for abandoned."""
_PAUSE = 0.5

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PartToTell:
    """One part, ready to be told."""

    delivery: Delivery
    key: LedgerKey
    envelope: Envelope
    telling: Telling
    outlet: Outlet
    is_last: bool
    window_closed: bool
    """Whether a template goes, where the account has one, without trying the text."""


@dataclass(frozen=True, slots=True)
class _NotTold:
    """The channel has nothing, and nothing is claimed; try again."""

    seconds: float
    as_template: bool = False


_Attempt = Settlement | RetryAfter | _NotTold


class TellPart:
    """Claim, call within the claim's lease, settle. A crash anywhere leaves either nothing, or a settlement, or an
    open claim: of that nobody knows whether the channel was told, so it is UNKNOWN, and never told again."""

    def __init__(
        self,
        *,
        ledger: DeliveryLedger,
        record_accepted: RecordAccepted,
        clock: Clock,
        owner: str,
        lease_seconds: float,
        may_wait: Callable[[], bool],
        rng: random.Random,
        metrics: Metrics,
    ) -> None:
        """`owner` is a name that no other process has, nor had before; `may_wait`: see Outlet.permit."""
        self._ledger = ledger
        self._record_accepted = record_accepted
        self._clock = clock
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._may_wait = may_wait
        self._rng = rng
        self._metrics = metrics
        self._runs = itertools.count(1)

    async def __call__(
        self, part: PartToTell, job: Job, undisturbed: Undisturbed, may_call: Callable[[], bool]
    ) -> Settlement | Postponed:
        """How it ended; waits for limits and retries. May be cancelled: what must not stop half-way goes on.

        Args:
            part: to tell.
            job: what it is of.
            undisturbed: where such work runs.
            may_call: whether the partition is certainly still with this process.
        """
        # Of this run alone: another one in this process, before or after a rebalance, is as foreign as any.
        owner = f"{self._owner}:{next(self._runs)}"
        as_template = part.window_closed and template_of(part.outlet.account)
        while True:
            known = await self._settled(part.key, owner)
            if known is not None:
                return known
            # Tokens before the claim: what is claimed is called at once, so that a crash leaves few open claims.
            permit = await part.outlet.permit(part.envelope.to, self._may_wait)
            if isinstance(permit, Closed):
                return self._postponed(permit.seconds)
            attempt = await undisturbed.run(self._attempt(part, job, owner, permit, may_call, as_template=as_template))
            match attempt:
                case Settlement():
                    return attempt
                case _NotTold(seconds, template):
                    as_template = as_template or template
                    await asyncio.sleep(seconds)
                case RetryAfter(scope=Scope.ACCOUNT):
                    pass  # the gate holds the next call back
                case RetryAfter(seconds, scope):
                    job.tries += 1
                    wait = seconds or _BACKOFFS[scope].seconds(job.tries, self._rng)
                    if wait > LONGEST_WAIT:
                        return self._postponed(wait)
                    await asyncio.sleep(wait)

    def _postponed(self, seconds: float) -> Postponed:
        return Postponed(Timestamp(self._clock() + int(seconds * SECOND)))

    async def _settled(self, key: LedgerKey, owner: str) -> Settlement | None:
        """How it ended before, if it did; waits for whoever tells it just now."""
        while True:
            found = await persist(self._ledger.find, key)
            if not isinstance(found, Claim):
                return found
            if found.owner == owner:
                return None
            left = (found.lease_until - self._clock()) / SECOND + _SKEW
            if left <= 0:
                unknown = Settlement(DeliveryState.UNKNOWN, self._clock())
                await persist(self._ledger.settle, key, unknown)
                _log.warning("nobody knows whether the channel has a message", delivery_id=key.delivery_id)
            else:
                await asyncio.sleep(min(left, self._lease_seconds))

    async def _attempt(
        self, part: PartToTell, job: Job, owner: str, permit: Permit, may_call: Callable[[], bool], *, as_template: bool
    ) -> _Attempt:
        outcome: Outcome | None = None
        try:
            claimed = await self._claim(part.key, owner)
            if not isinstance(claimed, Claim):
                return claimed
            await part.outlet.begin()
            if not may_call():
                await persist(self._ledger.release, part.key, owner)
                return _NotTold(_PAUSE)
            outcome = await self._call(part, claimed.lease_until, as_template=as_template)
        finally:
            part.outlet.done(permit, outcome)
        return await self._settle(part, job, owner, outcome, as_template=as_template)

    async def _claim(self, key: LedgerKey, owner: str) -> Claim | Settlement | _NotTold:
        claim = Claim(owner, Timestamp(self._clock() + int(self._lease_seconds * SECOND)))
        try:
            stands = await self._ledger.claim(key, claim)
        except RetryableError as error:
            _log.warning("the ledger can't be written now", cause=str(error))
            return _NotTold(max(error.retry_after, _PAUSE))
        if stands is None:
            return claim
        if isinstance(stands, Claim) and stands.owner == owner:
            # Made by a try whose answer was lost. It may be old by now.
            await persist(self._ledger.release, key, owner)
            return _NotTold(0)
        return stands if isinstance(stands, Settlement) else _NotTold(0)

    async def _call(self, part: PartToTell, lease_until: Timestamp, *, as_template: bool) -> Outcome:
        account = part.outlet.account
        left = (lease_until - self._clock()) / SECOND
        labels = {"channel": account.capabilities.channel}
        try:
            with self._metrics.delivery_call_duration.labels(**labels).time():
                async with asyncio.timeout(left):
                    return await part.telling.tell(account, part.envelope, as_template=as_template)
        except TimeoutError:
            return Undecided("no answer within the lease")
        except Exception as error:
            # A fault of ours, perhaps after the channel was told.
            _log.exception("a call to a channel failed in an unforeseen way")
            return Undecided(repr(error))

    async def _settle(self, part: PartToTell, job: Job, owner: str, outcome: Outcome, *, as_template: bool) -> _Attempt:
        now = self._clock()
        match outcome:
            case Accepted(provider_id):
                await self._record_accepted(part.outlet.account, part.delivery, provider_id, is_last=part.is_last)
                settlement = Settlement(DeliveryState.SENT, now, provider_id)
            case Refused(failure, window_closed):
                if window_closed and not as_template and template_of(part.outlet.account):
                    await persist(self._ledger.release, part.key, owner)
                    job.note(now, f"{failure.code}: {failure.reason}; so a template")
                    return _NotTold(0, as_template=True)
                settlement = Settlement(DeliveryState.FAILED, now, failure=failure)
            case Undecided(cause):
                _log.warning("a channel did not answer", cause=cause, delivery_id=part.key.delivery_id)
                settlement = Settlement(DeliveryState.UNKNOWN, now)
            case RetryAfter(_, _, code, cause):
                return await self._give_back(part.key, job, owner, outcome, f"{code}: {cause}")
            case AccountRefused(failure):
                cause = f"{failure.code}: {failure.reason}"
                again = RetryAfter(0, Scope.ACCOUNT, failure.code, failure.reason)
                return await self._give_back(part.key, job, owner, again, cause)
        await persist(self._ledger.settle, part.key, settlement)
        return settlement

    async def _give_back(self, key: LedgerKey, job: Job, owner: str, again: RetryAfter, cause: str) -> RetryAfter:
        await persist(self._ledger.release, key, owner)
        job.note(self._clock(), cause)
        return again
