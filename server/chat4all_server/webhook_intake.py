"""What channels tell us: checked, split, and made durable. It is read by workers."""

import asyncio
from collections.abc import Mapping, Sequence

from chat4all_channels.accounts import ChannelAccounts, OpenAccount
from chat4all_channels.channel import ReceivesWebhooks, WebhookError
from chat4all_channels.registry import REGISTRY
from chat4all_core.domain.channel import AccountId, ChannelName
from chat4all_core.domain.errors import (
    InvalidArgumentError,
    NotFoundError,
    PermissionDeniedError,
    Reason,
    UnavailableError,
)
from chat4all_core.ports.clock import Clock
from chat4all_core.ports.event_codec import ChannelReceived, EventCodec
from chat4all_core.ports.event_log import CHANNEL_RECEIVED, EventLog
from chat4all_core.telemetry.metrics import Metrics
from chat4all_core.telemetry.tracing import trace_headers

MAX_BYTES = 3 << 20
"""The largest that a channel sends (WhatsApp)."""


class WebhookIntake:
    """The webhooks of all channels."""

    def __init__(
        self, *, accounts: ChannelAccounts, log: EventLog, codec: EventCodec, clock: Clock, metrics: Metrics
    ) -> None:
        self._accounts = accounts
        self._log = log
        self._codec = codec
        self._clock = clock
        self._received = metrics.webhooks_received

    def verify(self, channel: str, query: Mapping[str, str]) -> str:
        """What to answer a channel that asks whether the webhook is ours.

        Raises:
            NotFoundError: CHANNEL_NOT_FOUND.
            PermissionDeniedError: WEBHOOK_NOT_AUTHENTIC.
        """
        for opened in self._of(channel):
            if isinstance(opened.account, ReceivesWebhooks):
                answer = opened.account.verify(query)
                if answer is not None:
                    return answer
        self._received.labels(channel=channel, outcome="not_authentic").inc()
        raise _not_authentic()

    async def receive(self, channel: str, headers: Mapping[str, str], body: bytes) -> None:
        """Take what a channel tells; it is durable afterwards. Header names are in lower case.

        Raises:
            NotFoundError: CHANNEL_NOT_FOUND.
            PermissionDeniedError: WEBHOOK_NOT_AUTHENTIC.
            InvalidArgumentError: WEBHOOK_MALFORMED.
            UnavailableError: the log can't take it now; the channel tells it again.
        """
        accounts = self._of(channel)
        count = self._received.labels
        if len(body) > MAX_BYTES:
            count(channel=channel, outcome="malformed").inc()
            raise _malformed(f"must be at most {MAX_BYTES} bytes, is {len(body)}")
        authentic = _authentic(accounts, headers, body)
        if not authentic:
            count(channel=channel, outcome="not_authentic").inc()
            raise _not_authentic()
        try:
            pieces = REGISTRY[ChannelName(channel)].channel.split(body, authentic)
        except WebhookError as error:
            count(channel=channel, outcome="malformed").inc()
            raise _malformed(str(error)) from error
        time, trace = self._clock(), trace_headers()
        # All at once: those of one person keep their order, for an append takes its place when it is called.
        appended = [
            self._log.append(
                CHANNEL_RECEIVED,
                f"{channel}:{piece.key}",
                self._codec.encode_received(ChannelReceived(ChannelName(channel), piece.account, piece.body, time)),
                trace,
            )
            for piece in pieces
        ]
        try:
            await asyncio.gather(*appended)
        except UnavailableError:
            count(channel=channel, outcome="unavailable").inc()
            raise
        count(channel=channel, outcome="accepted" if pieces else "ignored").inc()

    def _of(self, channel: str) -> Sequence[OpenAccount]:
        accounts = self._accounts.get(ChannelName(channel))
        if accounts is None:
            raise NotFoundError(
                Reason.CHANNEL_NOT_FOUND, "the platform has no account on such a channel", {"channel": channel}
            )
        return accounts


def _authentic(accounts: Sequence[OpenAccount], headers: Mapping[str, str], body: bytes) -> Sequence[AccountId]:
    """Every account is asked, so that the time taken does not tell which one it was."""
    return [
        opened.account.account_id
        for opened in accounts
        if isinstance(opened.account, ReceivesWebhooks) and opened.account.authentic(headers, body)
    ]


def _not_authentic() -> PermissionDeniedError:
    return PermissionDeniedError(
        Reason.WEBHOOK_NOT_AUTHENTIC, "the call bears no signature or secret of an account on this channel"
    )


def _malformed(description: str) -> InvalidArgumentError:
    return InvalidArgumentError(f"the webhook's body {description}", reason=Reason.WEBHOOK_MALFORMED)
