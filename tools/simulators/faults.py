"""What is made to go wrong, and when.

A rule names a kind of fault, where it strikes (channel; account and recipient when given) and how often: always, the
next N times, every Nth time, or by chance. Rules see only requests that would have been accepted, and only the first
that strikes counts, except that slowness adds up; so what `struck` counts is what really happened.
"""

import itertools
import random
from dataclasses import dataclass, field
from enum import StrEnum

from .channel import Channel


class FaultKind(StrEnum):
    """What goes wrong."""

    RATE_LIMIT = "rate_limit"
    PAIR_LIMIT = "pair_limit"
    APP_LIMIT = "app_limit"
    SERVER_ERROR = "server_error"
    ERROR = "error"
    SLOW = "slow"
    DROP_BEFORE_ACCEPT = "drop_before_accept"
    ACCEPT_THEN_DROP = "accept_then_drop"
    TOKEN_EXPIRED = "token_expired"
    WINDOW_CLOSED = "window_closed"
    UNDELIVERABLE = "undeliverable"
    DELIVERED_AFTER_FAILED = "delivered_after_failed"
    LOST_WEBHOOK = "lost_webhook"
    REORDERED_WEBHOOK = "reordered_webhook"
    DUPLICATED_WEBHOOK = "duplicated_webhook"


WEBHOOK_FAULTS = frozenset({FaultKind.LOST_WEBHOOK, FaultKind.REORDERED_WEBHOOK, FaultKind.DUPLICATED_WEBHOOK})

_NO_WINDOW = {FaultKind.PAIR_LIMIT, FaultKind.APP_LIMIT, FaultKind.WINDOW_CLOSED, FaultKind.DELIVERED_AFTER_FAILED}
UNKNOWN_FAULTS = {
    Channel.WHATSAPP: frozenset[FaultKind](),
    Channel.INSTAGRAM: frozenset({FaultKind.PAIR_LIMIT, FaultKind.DELIVERED_AFTER_FAILED}),
    Channel.TELEGRAM: frozenset(_NO_WINDOW),
}
"""Faults that a service does not have."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often: `next` times and then never again, each `every`th time, with a probability of `chance`; always when
    none is given."""

    next: int | None = None
    every: int | None = None
    chance: float | None = None

    def __post_init__(self) -> None:
        if sum(value is not None for value in (self.next, self.every, self.chance)) > 1:
            raise ValueError("give one of next, every and chance")
        if (self.next is not None and self.next < 1) or (self.every is not None and self.every < 1):
            raise ValueError("next and every are 1 or more")
        if self.chance is not None and not 0 <= self.chance <= 1:
            raise ValueError("chance is between 0 and 1")


@dataclass(frozen=True, slots=True)
class Fault:
    """A rule."""

    channel: Channel
    kind: FaultKind
    account: str | None = None
    recipient: str | None = None
    schedule: Schedule = field(default_factory=Schedule)
    seconds: float = 1.0
    """The delay of SLOW; what Retry-After says for the limits."""
    code: int | None = None
    """The service's own code, for ERROR."""
    status: int | None = None
    """The HTTP status, for ERROR."""
    message: str | None = None
    """What the service says, for ERROR."""
    by_webhook: bool | None = None
    """Whether WhatsApp tells UNDELIVERABLE (usually so) and WINDOW_CLOSED (usually not) by a later status instead of by
    the answer itself: the service does both."""

    @property
    def is_told_later(self) -> bool:
        """Whether a status tells it."""
        return self.kind is FaultKind.UNDELIVERABLE if self.by_webhook is None else self.by_webhook

    def __post_init__(self) -> None:
        if self.kind in UNKNOWN_FAULTS[self.channel]:
            raise ValueError(f"{self.channel} has no {self.kind}")
        if self.kind is FaultKind.ERROR and self.code is None:
            raise ValueError("an error needs a code")


@dataclass(slots=True)
class FaultRule:
    """A rule in force, and how often it looked and struck."""

    id: int
    fault: Fault
    seen: int = 0
    struck: int = 0


class Faults:
    """The rules in force."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._rules: dict[int, FaultRule] = {}
        self._ids = itertools.count(1)

    def add(self, fault: Fault) -> FaultRule:
        """Put a rule in force, behind those that are."""
        rule = FaultRule(next(self._ids), fault)
        self._rules[rule.id] = rule
        return rule

    def remove(self, rule_id: int) -> bool:
        """Take a rule out of force; False when there is none."""
        return self._rules.pop(rule_id, None) is not None

    def clear(self) -> None:
        """Take all rules out of force."""
        self._rules.clear()

    def rules(self) -> list[FaultRule]:
        """The rules in force, the oldest first."""
        return list(self._rules.values())

    def strike_request(self, channel: Channel, account: str, recipient: str) -> tuple[float, Fault | None]:
        """What happens to a request that is about to be accepted: how many seconds it takes, and what goes wrong."""
        delay = 0.0
        for rule in self.rules():
            fault = rule.fault
            if fault.kind in WEBHOOK_FAULTS or not self._strikes(rule, channel, account, recipient):
                continue
            if fault.kind is not FaultKind.SLOW:
                return delay, fault
            delay += fault.seconds
        return delay, None

    def strike_webhook(self, channel: Channel, account: str, recipient: str) -> FaultKind | None:
        """What happens to an event on its way to the webhook."""
        for rule in self.rules():
            if rule.fault.kind in WEBHOOK_FAULTS and self._strikes(rule, channel, account, recipient):
                return rule.fault.kind
        return None

    def _strikes(self, rule: FaultRule, channel: Channel, account: str, recipient: str) -> bool:
        fault = rule.fault
        if fault.channel != channel or fault.account not in (None, account):
            return False
        if fault.recipient not in (None, recipient):
            return False
        rule.seen += 1
        if not self._is_due(rule):
            return False
        rule.struck += 1
        return True

    def _is_due(self, rule: FaultRule) -> bool:
        schedule = rule.fault.schedule
        if schedule.next is not None:
            return rule.struck < schedule.next
        if schedule.every is not None:
            return rule.seen % schedule.every == 0
        if schedule.chance is not None:
            return self._chance.random() < schedule.chance
        return True
