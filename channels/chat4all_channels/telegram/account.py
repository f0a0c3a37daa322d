"""A bot of ours on Telegram."""

import hmac
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any

import aiohttp

from chat4all_channels.account_config import TelegramConfig
from chat4all_channels.channel import Envelope, Limits, OutgoingFile, Piece, PollError
from chat4all_channels.event import MediaError, MediaReference
from chat4all_channels.form import encode, node, nodes, text, whole
from chat4all_channels.http_api import Answer, DownloadError, FormFile, HttpApi
from chat4all_channels.outcome import Accepted, AccountRefused, Outcome, Refused, RetryAfter, Scope, Undecided
from chat4all_channels.telegram.capabilities import TELEGRAM
from chat4all_channels.telegram.channel import person_of, provider_id_for
from chat4all_core.domain.channel import AccountId
from chat4all_core.domain.delivery import DeliveryFailure
from chat4all_core.domain.file import Attachment
from chat4all_core.ports.rate_limiter import RateLimit

BASE_URL = "https://api.telegram.org"
_SECRET = "x-telegram-bot-api-secret-token"
_PAGE = 100
_LONGEST_POLL = 25.0
"""Seconds: Telegram allows 50, and a call of ours is given up after 30."""

_REMEDIES = {
    400: "See the reason; a chat is found only after its person has started the bot.",
    403: "The person has blocked the bot, or has never started it.",
}


class TelegramAccount:
    """Implements ChannelAccount, SendsFiles, ReceivesWebhooks, FetchesMedia and Polls."""

    capabilities = TELEGRAM
    # 30 messages a second in all, and one a second to each chat: Telegram overlooks short bursts.
    limits = Limits(account=RateLimit(rate=30, burst=30), recipient=RateLimit(rate=1, burst=1))

    def __init__(self, config: TelegramConfig, session: aiohttp.ClientSession) -> None:
        self.account_id = AccountId(config.bot_id)
        self.is_polled = config.poll
        self._secret = config.secret_token.value.encode()
        root = (config.base_url or BASE_URL).rstrip("/")
        self._api = HttpApi(session, f"{root}/bot{config.token.value}", {})
        self._files = f"{root}/file/bot{config.token.value}"

    async def send_text(self, envelope: Envelope, text: str) -> Outcome:
        """See ChannelAccount.send_text."""
        body = {"chat_id": envelope.to, "text": text, **_reply(envelope)}
        return _outcome(envelope, await self._api.post("sendMessage", body))

    def takes(self, file: Attachment) -> bool:
        """See SendsFiles.takes."""
        return 0 < file.size <= TELEGRAM.max_file_bytes

    def max_caption(self, file: Attachment) -> int:
        """See SendsFiles.max_caption."""
        return 1_024

    async def send_file(self, envelope: Envelope, file: OutgoingFile) -> Outcome:
        """See SendsFiles.send_file. It goes as a document, as it is: a photo would be made smaller."""
        fields = {"chat_id": envelope.to}
        if file.caption:
            fields["caption"] = file.caption
        if reply := _reply(envelope):
            fields["reply_parameters"] = encode(reply["reply_parameters"]).decode()
        about = file.file
        form = FormFile("document", about.filename, about.mime_type, about.size, file.content())
        return _outcome(envelope, await self._api.post_form("sendDocument", fields, form))

    def verify(self, query: Mapping[str, str]) -> str | None:
        """Telegram does not ask."""
        return None

    def authentic(self, headers: Mapping[str, str], body: bytes) -> bool:
        """See ReceivesWebhooks.authentic."""
        given = headers.get(_SECRET, "").encode("utf-8", "replace")
        return bool(self._secret) and hmac.compare_digest(given, self._secret)

    async def fetch_media(self, media: MediaReference) -> AsyncGenerator[bytes, None]:
        """See FetchesMedia.fetch_media."""
        answer = await self._api.get("getFile", {"file_id": media.reference})
        if not isinstance(answer, Answer):
            raise MediaError(answer.cause, lasting=False)
        path = text(node(answer.body, "result"), "file_path")
        if not path:
            raise MediaError(text(answer.body, "description"), lasting=answer.status in (400, 404))
        try:
            async for chunk in self._api.download(f"{self._files}/{path}"):
                yield chunk
        except DownloadError as error:
            raise MediaError(str(error), lasting=400 <= error.status < 429) from error

    async def poll(self, cursor: str, timeout: float) -> tuple[Sequence[Piece], str]:
        """See Polls.poll. The cursor is the `offset` of getUpdates: asking with it drops what lies before."""
        query = {"timeout": str(int(min(timeout, _LONGEST_POLL))), "limit": str(_PAGE)}
        if cursor:
            query["offset"] = cursor
        answer = await self._api.get("getUpdates", query)
        if not isinstance(answer, Answer):
            raise PollError(answer.cause, 1.0)
        if answer.body.get("ok") is not True:
            wait = whole(node(answer.body, "parameters"), "retry_after")
            raise PollError(f"{answer.status}: {text(answer.body, 'description')}", wait or 5.0)
        updates = nodes(answer.body, "result")
        pieces = [Piece(self.account_id, person_of(update), encode(update)) for update in updates]
        return pieces, str(whole(updates[-1], "update_id") + 1) if updates else cursor


def _reply(envelope: Envelope) -> dict[str, Any]:
    if not envelope.reply_to:
        return {}
    # A message that is gone is no reason not to answer.
    message_id = int(envelope.reply_to.rpartition(":")[2])
    return {"reply_parameters": {"message_id": message_id, "allow_sending_without_reply": True}}


def _outcome(envelope: Envelope, answer: Answer | RetryAfter | Undecided) -> Outcome:
    if not isinstance(answer, Answer):
        return answer
    message = node(answer.body, "result")
    if answer.body.get("ok") is True and message:
        return Accepted(provider_id_for(message))
    if answer.body.get("ok") is not False:
        return _without_form(answer)
    code, reason = answer.status, text(answer.body, "description")
    parameters = node(answer.body, "parameters")
    if code == 429:
        return RetryAfter(whole(parameters, "retry_after"), Scope.RECIPIENT, "429", reason)
    if code >= 500:
        return RetryAfter(0, Scope.CHANNEL, str(code), reason)
    if code in (401, 404):
        return AccountRefused(DeliveryFailure(str(code), reason, "Check the bot's token."))
    moved = text(parameters, "migrate_to_chat_id")
    remedy = f"The group has moved: write to telegram:{moved}." if moved else _REMEDIES.get(code, "See the reason.")
    return Refused(DeliveryFailure(str(code), reason, remedy))


def _without_form(answer: Answer) -> Outcome:
    cause = f"HTTP {answer.status} without an answer of Telegram's form"
    if answer.status == 429 or answer.status >= 500:
        scope = Scope.ACCOUNT if answer.status == 429 else Scope.CHANNEL
        return RetryAfter(answer.retry_after, scope, str(answer.status), cause)
    if answer.status < 300:
        return Undecided(cause)
    return AccountRefused(DeliveryFailure(str(answer.status), cause, "Check the base URL of the bot."))
