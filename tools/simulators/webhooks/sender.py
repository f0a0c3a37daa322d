"""Events on their way to one account's webhook: at least once, in any order."""

import asyncio
import heapq
import itertools
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import aiohttp
from tools.simulators.channel import Channel
from tools.simulators.clock import Now
from tools.simulators.faults import FaultKind, Faults
from tools.simulators.json_value import JsonObject
from tools.simulators.timers import Timers

from .delivery import Attempt, Deliveries, Delivery
from .policy import PolicyInForce, WebhookPolicy


@dataclass(frozen=True, slots=True)
class Event:
    """Something that the webhook is to know."""

    customer: str
    content: JsonObject


@dataclass(frozen=True, slots=True)
class Format:
    """How a service writes a request."""

    encode: Callable[[Sequence[JsonObject]], bytes]
    """The body of a request with these events."""
    headers: Callable[[bytes], Mapping[str, str]]
    """The headers of a body."""


class WebhookSender:
    """The queue of one account. Without a URL, events go nowhere."""

    def __init__(
        self,
        channel: Channel,
        account: str,
        format: Format,
        policy: PolicyInForce,
        session: aiohttp.ClientSession,
        faults: Faults,
        deliveries: Deliveries,
        timers: Timers,
        now: Now,
    ) -> None:
        self.url: str | None = None
        self._policy_in_force = policy
        self._channel = channel
        self._account = account
        self._format = format
        self._session = session
        self._faults = faults
        self._deliveries = deliveries
        self._timers = timers
        self._now = now
        self._events: deque[JsonObject] = deque()
        self._held: deque[JsonObject] = deque()
        self._retries: list[tuple[float, int, Delivery]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()
        self._attempts: set[asyncio.Task[None]] = set()

    @property
    def _policy(self) -> WebhookPolicy:
        return self._policy_in_force.current

    @property
    def waiting(self) -> int:
        """How many events and requests wait."""
        return len(self._events) + len(self._held) + len(self._retries)

    def add(self, event: Event) -> None:
        """Send an event, unless a fault loses it."""
        if self.url is None:
            return
        match self._faults.strike_webhook(self._channel, self._account, event.customer):
            case FaultKind.LOST_WEBHOOK:
                self._deliveries.lost += 1
            case FaultKind.DUPLICATED_WEBHOOK:
                self._push(event.content)
                self._push(event.content)
            case FaultKind.REORDERED_WEBHOOK:
                self._held.append(event.content)
                self._timers.after(self._policy.reorder_seconds, self._release)
            case _:
                self._push(event.content)

    def redeliver(self, delivery: Delivery) -> None:
        """Send the very bytes of a request again."""
        self._retry(delivery, 0)

    async def run(self) -> None:
        """Send what is added, until cancelled."""
        slots = asyncio.Semaphore(self._policy.connections)
        try:
            while True:
                await slots.acquire()
                task = asyncio.create_task(self._attempt(await self._next(), slots))
                self._attempts.add(task)
                task.add_done_callback(self._attempts.discard)
        finally:
            for task in list(self._attempts):
                task.cancel()
            await asyncio.gather(*self._attempts, return_exceptions=True)

    def _push(self, content: JsonObject) -> None:
        if len(self._events) >= self._policy.queue_size:
            self._events.popleft()
            self._deliveries.lost += 1
        self._events.append(content)
        self._changed.set()

    def _release(self) -> None:
        while self._held:
            self._push(self._held.popleft())

    def _retry(self, delivery: Delivery, seconds: float) -> None:
        due = asyncio.get_running_loop().time() + seconds
        heapq.heappush(self._retries, (due, next(self._order), delivery))
        self._changed.set()

    async def _next(self) -> Delivery:
        """The next request to try."""
        loop = asyncio.get_running_loop()
        while True:
            self._changed.clear()
            if self._retries and self._retries[0][0] <= loop.time():
                return heapq.heappop(self._retries)[2]
            if self._events:
                return self._batch()
            wait = self._retries[0][0] - loop.time() if self._retries else None
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                pass  # a retry is due

    def _batch(self) -> Delivery:
        contents = [self._events.popleft() for _ in range(min(self._policy.batch_size, len(self._events)))]
        body = self._format.encode(contents)
        headers = self._format.headers(body)
        return self._deliveries.begin(self._channel, self._account, len(contents), body, headers, self._now())

    async def _attempt(self, delivery: Delivery, slots: asyncio.Semaphore) -> None:
        try:
            attempt = await self._post(delivery)
        finally:
            slots.release()
        delivery.note(attempt)
        if attempt.status == 200:
            delivery.is_done = True
            self._release()
        elif self._now() - delivery.created_at > self._policy.give_up_seconds or (
            len(self._retries) >= self._policy.queue_size
        ):
            self._deliveries.lost += delivery.events
        else:
            self._retry(delivery, self._policy.wait_after(delivery.tries))

    async def _post(self, delivery: Delivery) -> Attempt:
        url = self.url
        if url is None:
            return Attempt(self._now(), None, "there is no webhook any more")
        timeout = aiohttp.ClientTimeout(total=self._policy.timeout_seconds)
        try:
            async with self._session.post(
                url, data=delivery.body, headers=delivery.headers, timeout=timeout, allow_redirects=False
            ) as response:
                await response.read()
                return Attempt(self._now(), response.status)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return Attempt(self._now(), None, f"{type(error).__name__}: {error}")
