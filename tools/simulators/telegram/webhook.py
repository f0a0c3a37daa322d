"""Updates pushed to one bot's webhook: each until it is taken."""

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import aiohttp
from tools.simulators.channel import Channel
from tools.simulators.faults import FaultKind
from tools.simulators.json_value import JsonObject
from tools.simulators.webhooks.delivery import Attempt, Delivery

from .bot import Bot
from .updates import Update

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
_MAX_RETRY_AFTER = 3_600
_GONE = 410
_GONE_SECONDS = 23 * 3_600

CallMethod = Callable[[str, Mapping[str, object]], Awaitable[object]]
"""Carries out a method call of the bot that stands in the answer of its webhook."""


@dataclass(frozen=True, slots=True)
class WebhookSetting:
    """What setWebhook said."""

    url: str = ""
    secret_token: str = ""
    max_connections: int = 40


class Webhook:
    """The pushing of one bot's updates."""

    def __init__(self, bot: Bot, call: CallMethod) -> None:
        self.setting = WebhookSetting()
        self.last_error: tuple[float, str] | None = None
        self._bot = bot
        self._call = call
        self._gone_since: float | None = None
        self._set = asyncio.Event()
        self._taken = asyncio.Event()
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._redeliveries: set[asyncio.Task[None]] = set()

    def set(self, setting: WebhookSetting) -> None:
        """Push to another URL, or to none. What is on its way begins anew."""
        for task in self._tasks.values():
            task.cancel()
        self.setting = setting
        self.last_error = None
        self._gone_since = None
        self._set.set()

    def redeliver(self, delivery: Delivery) -> None:
        """Send the very bytes of a request again, once."""
        task = asyncio.create_task(self._redeliver(delivery))
        self._redeliveries.add(task)
        task.add_done_callback(self._redeliveries.discard)

    async def run(self) -> None:
        """Push, until cancelled."""
        try:
            while True:
                added = self._bot.updates.added
                self._begin_tasks()
                self._set.clear()
                await self._until_something_changes(added)
        finally:
            tasks = [*self._tasks.values(), *self._redeliveries]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _begin_tasks(self) -> None:
        self._tasks = {key: task for key, task in self._tasks.items() if not task.done()}
        free = self.setting.max_connections - len(self._tasks)
        if not self.setting.url or free <= 0:
            return
        for update in self._bot.updates.read(free, skip=self._tasks):
            self._tasks[update.id] = asyncio.create_task(self._push(update))

    async def _until_something_changes(self, added: int) -> None:
        waits = [asyncio.create_task(self._bot.updates.wait(added)), asyncio.create_task(self._set.wait())]
        try:
            await asyncio.wait([*waits, *self._tasks.values()], return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()

    async def _push(self, update: Update) -> None:
        context = self._bot.context
        fault = context.faults.strike_webhook(Channel.TELEGRAM, self._bot.id, update.chat)
        if fault is FaultKind.LOST_WEBHOOK:
            context.deliveries.lost += 1
        else:
            if fault is FaultKind.REORDERED_WEBHOOK:
                await self._be_overtaken(context.policy.current.reorder_seconds)
            delivery = self._begin(update)
            await self._until_taken(delivery)
            if fault is FaultKind.DUPLICATED_WEBHOOK:
                delivery.note(await self._post(delivery))
        self._bot.updates.remove(update)
        self._taken.set()

    async def _be_overtaken(self, seconds: float) -> None:
        self._taken.clear()
        try:
            async with asyncio.timeout(seconds):
                await self._taken.wait()
        except TimeoutError:
            pass  # nothing else happened

    def _begin(self, update: Update) -> Delivery:
        headers = {"Content-Type": "application/json"}
        if self.setting.secret_token:
            headers[SECRET_HEADER] = self.setting.secret_token
        context, body = self._bot.context, json.dumps(update.json()).encode()
        return context.deliveries.begin(Channel.TELEGRAM, self._bot.id, 1, body, headers, context.now())

    async def _until_taken(self, delivery: Delivery) -> None:
        while True:
            attempt = await self._post(delivery)
            delivery.note(attempt)
            if attempt.status is not None and 200 <= attempt.status < 300:
                delivery.is_done = True
                return
            self._note_failure(attempt)
            await asyncio.sleep(self._wait_after(delivery.tries, attempt))

    def _note_failure(self, attempt: Attempt) -> None:
        wrong = f"Wrong response from the webhook: {attempt.status}" if attempt.error is None else attempt.error
        self.last_error = (attempt.at, wrong)
        if attempt.status != _GONE:
            self._gone_since = None
        elif self._gone_since is None:
            self._gone_since = attempt.at
        elif attempt.at - self._gone_since >= _GONE_SECONDS:
            self.setting = WebhookSetting()

    def _wait_after(self, tries: int, attempt: Attempt) -> float:
        if attempt.retry_after is not None:
            return min(attempt.retry_after, _MAX_RETRY_AFTER)
        policy = self._bot.context.policy.current
        longest = random.uniform(policy.retry_max_seconds, 2 * policy.retry_max_seconds)
        return min(longest, policy.retry_initial_seconds * 2.0 ** min(tries - 1, 30))

    async def _redeliver(self, delivery: Delivery) -> None:
        delivery.note(await self._post(delivery))

    async def _post(self, delivery: Delivery) -> Attempt:
        context = self._bot.context
        if not self.setting.url:
            return Attempt(context.now(), None, "there is no webhook any more")
        timeout = aiohttp.ClientTimeout(total=context.policy.current.timeout_seconds)
        try:
            async with context.session.post(
                self.setting.url, data=delivery.body, headers=delivery.headers, timeout=timeout, allow_redirects=False
            ) as response:
                body = await response.read()
                attempt = Attempt(context.now(), response.status, retry_after=_seconds(response))
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return Attempt(context.now(), None, f"{type(error).__name__}: {error}")
        if 200 <= response.status < 300:
            await self._carry_out(body)
        return attempt

    async def _carry_out(self, body: bytes) -> None:
        """Carry out the method call that an answer may hold; how it ends is told to nobody."""
        try:
            call: JsonObject = json.loads(body)
            method = call.pop("method")
        except (ValueError, TypeError, KeyError, AttributeError):
            return
        await self._call(str(method), call)


def _seconds(response: aiohttp.ClientResponse) -> float | None:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else None
