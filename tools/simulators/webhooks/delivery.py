"""Requests to webhooks, and how each went."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.simulators.bounded import Bounded
from tools.simulators.channel import Channel


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try."""

    at: float
    status: int | None
    """The HTTP status; None when there was no answer."""
    error: str | None = None
    retry_after: float | None = None
    """Seconds that the webhook asked to wait."""


@dataclass(slots=True)
class Delivery:
    """A request, sent until the webhook takes it."""

    id: int
    channel: Channel
    account: str
    events: int
    body: bytes
    headers: Mapping[str, str]
    created_at: float
    attempts: list[Attempt] = field(default_factory=list)
    """The last of them."""
    tries: int = 0
    is_done: bool = False

    def note(self, attempt: Attempt) -> None:
        """Remember a try."""
        self.tries += 1
        self.attempts = [*self.attempts[-9:], attempt]


class Deliveries:
    """The newest requests of all accounts, and how many events were lost on purpose."""

    def __init__(self, size: int) -> None:
        self._deliveries: Bounded[int, Delivery] = Bounded(size)
        self._ids = itertools.count(1)
        self.lost = 0

    def begin(
        self, channel: Channel, account: str, events: int, body: bytes, headers: Mapping[str, str], now: float
    ) -> Delivery:
        """A new request."""
        delivery = Delivery(next(self._ids), channel, account, events, body, headers, now)
        self._deliveries.put(delivery.id, delivery)
        return delivery

    def get(self, delivery_id: int) -> Delivery | None:
        """A request that is remembered."""
        return self._deliveries.get(delivery_id)

    def read(self, channel: str | None = None, account: str | None = None) -> list[Delivery]:
        """The requests of a channel, or account, or all, in order."""
        chosen = [d for d in self._deliveries if channel in (None, d.channel) and account in (None, d.account)]
        return sorted(chosen, key=lambda delivery: delivery.id)
