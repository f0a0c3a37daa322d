"""A channel whose answers a test decides."""

import itertools
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from chat4all_channels.channel import Envelope, Limits, OutgoingFile
from chat4all_channels.outcome import Accepted, Outcome
from chat4all_core.domain.channel import AccountId, Capabilities, ChannelName, ProviderId
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.file import Attachment
from chat4all_core.ports.rate_limiter import RateLimit

CHANNEL = ChannelName("whatsapp")


def capabilities(**changes: Any) -> Capabilities:
    """Of a channel that can do all, in small measures."""
    values: dict[str, Any] = {
        "channel": CHANNEL,
        "address_pattern": r"\+[0-9]+",
        "address_example": "whatsapp:+1",
        "states": frozenset({DeliveryState.DELIVERED, DeliveryState.READ}),
        "max_text": 40,
        "text_unit": "characters",
        "splits_text": True,
        "max_file_bytes": 1_000,
        "can_begin": True,
        "window": None,
    }
    return Capabilities(**(values | changes))


_CAPABILITIES = capabilities()
UNLIMITED = Limits(RateLimit(1_000_000, 1_000_000), RateLimit(1_000_000, 1_000_000))


@dataclass(frozen=True, slots=True)
class Told:
    """Something that the channel heard."""

    at: float
    to: str
    text: str
    kind: str
    envelope: Envelope


Answer = Callable[[Told], Awaitable[Outcome | None]]
"""What becomes of a call; None: the channel accepts it."""


async def accept(_told: Told) -> None:
    """Everything."""


class ScriptedAccount:
    """Implements ChannelAccount, SendsFiles and SendsTemplates."""

    def __init__(
        self,
        now: Callable[[], float],
        *,
        answer: Answer = accept,
        capabilities: Capabilities | None = None,
        limits: Limits = UNLIMITED,
        account_id: str = "account",
        has_template: bool = False,
        template_first: bool = False,
        takes_up_to: int = 0,
    ) -> None:
        self.capabilities = capabilities or _CAPABILITIES
        self.account_id = AccountId(account_id)
        self.limits = limits
        self.has_template = has_template
        self.template_first = template_first
        self.answer = answer
        self.calls: list[Told] = []
        """Every call that reached the channel."""
        self.accepted: list[Told] = []
        """Those that it took."""
        self._now = now
        self._takes_up_to = takes_up_to
        self._ids = itertools.count(1)

    async def send_text(self, envelope: Envelope, text: str) -> Outcome:
        return await self._tell(envelope, text, "text")

    async def send_template(self, envelope: Envelope, text: str) -> Outcome:
        return await self._tell(envelope, text, "template")

    def takes(self, file: Attachment) -> bool:
        return file.size <= self._takes_up_to

    def max_caption(self, file: Attachment) -> int:
        return 20

    async def send_file(self, envelope: Envelope, file: OutgoingFile) -> Outcome:
        content = b"".join([chunk async for chunk in file.content()])
        return await self._tell(envelope, f"{file.caption}|{content.decode()}", "file")

    async def _tell(self, envelope: Envelope, text: str, kind: str) -> Outcome:
        told = Told(self._now(), envelope.to, text, kind, envelope)
        self.calls.append(told)
        outcome = await self.answer(told)
        if outcome is None:
            self.accepted.append(told)
            outcome = Accepted(ProviderId(f"{self.account_id}.{next(self._ids)}"))
        return outcome


def answering(outcomes: dict[str, list[Outcome | None]]) -> Callable[[Told], Awaitable[Outcome | None]]:
    """Answers calls with these texts in turn, and accepts all others."""

    async def answer(told: Told) -> Outcome | None:
        return outcomes[told.text].pop(0) if outcomes.get(told.text) else None

    return answer


def by_person(told: list[Told]) -> dict[str, list[str]]:
    """The texts that each heard."""
    heard: dict[str, list[str]] = defaultdict(list)
    for each in told:
        heard[each.to].append(each.text)
    return heard
