"""A number of ours on the WhatsApp Cloud API."""

from collections.abc import AsyncGenerator, Mapping
from typing import Any

import aiohttp

from chat4all_channels.account_config import WhatsAppConfig
from chat4all_channels.channel import Envelope, Limits, OutgoingFile
from chat4all_channels.event import MediaError, MediaReference
from chat4all_channels.form import nodes, text
from chat4all_channels.http_api import Answer, DownloadError, FormFile, HttpApi
from chat4all_channels.meta.webhook import MetaWebhook
from chat4all_channels.outcome import Accepted, Outcome, RetryAfter, Scope, Undecided
from chat4all_channels.whatsapp.capabilities import DOCUMENT, MEDIA_CAPS, WHATSAPP
from chat4all_channels.whatsapp.error_table import WHATSAPP_ERRORS
from chat4all_core.domain.channel import AccountId, ProviderId
from chat4all_core.domain.file import Attachment
from chat4all_core.ports.rate_limiter import RateLimit

BASE_URL = "https://graph.facebook.com/v23.0"
_PAIR = RateLimit(rate=1 / 6, burst=45)


class WhatsAppAccount(MetaWebhook):
    """Implements ChannelAccount, SendsFiles, SendsTemplates, MarksRead, ReceivesWebhooks and FetchesMedia."""

    capabilities = WHATSAPP

    def __init__(self, config: WhatsAppConfig, session: aiohttp.ClientSession) -> None:
        super().__init__(config.app_secret, config.verify_token)
        self.account_id = AccountId(config.phone_number_id)
        rate = config.messages_per_second
        self.limits = Limits(account=RateLimit(rate, max(1, int(rate))), recipient=_PAIR)
        self.has_template = bool(config.template)
        self.template_first = config.template_first
        self._config = config
        token = {"Authorization": f"Bearer {config.access_token.value}"}
        self._api = HttpApi(session, config.base_url or BASE_URL, token)

    async def send_text(self, envelope: Envelope, text: str) -> Outcome:
        """See ChannelAccount.send_text."""
        return await self._send(envelope, "text", {"body": text})

    async def send_template(self, envelope: Envelope, text: str) -> Outcome:
        """See SendsTemplates.send_template."""
        # A parameter may hold no line break, tab, or more than four spaces in a row.
        parameter = {"type": "text", "text": " ".join(text.split())}
        template = {
            "name": self._config.template,
            "language": {"code": self._config.template_language},
            "components": [{"type": "body", "parameters": [parameter]}],
        }
        return await self._send(envelope, "template", template)

    def takes(self, file: Attachment) -> bool:
        """See SendsFiles.takes."""
        return 0 < file.size <= _kind(file)[1]

    def max_caption(self, file: Attachment) -> int:
        """See SendsFiles.max_caption."""
        return 0 if _kind(file)[0] == "audio" else 1_024

    async def send_file(self, envelope: Envelope, file: OutgoingFile) -> Outcome:
        """See SendsFiles.send_file. The bytes are uploaded first: WhatsApp need not reach the platform."""
        uploaded = await self._upload(file)
        if not isinstance(uploaded, str):
            return uploaded
        kind = _kind(file.file)[0]
        media = {"id": uploaded}
        if file.caption:
            media["caption"] = file.caption
        if kind == "document":
            media["filename"] = file.file.filename
        return await self._send(envelope, kind, media)

    async def mark_read(self, message: ProviderId, sender: str) -> Outcome:
        """See MarksRead.mark_read."""
        body = {"messaging_product": "whatsapp", "status": "read", "message_id": message}
        answer = await self._api.post(self._messages, body)
        if not isinstance(answer, Answer):
            return answer
        return Accepted(message) if answer.body.get("success") is True else WHATSAPP_ERRORS.outcome(answer)

    async def fetch_media(self, media: MediaReference) -> AsyncGenerator[bytes, None]:
        """See FetchesMedia.fetch_media."""
        answer = await self._api.get(media.reference, {"phone_number_id": self.account_id})
        if not isinstance(answer, Answer):
            raise MediaError(answer.cause, lasting=False)
        url = text(answer.body, "url")
        if not url:
            raise MediaError(f"WhatsApp does not give it: HTTP {answer.status}", lasting=answer.status < 429)
        try:
            async for chunk in self._api.download(url):
                yield chunk
        except DownloadError as error:
            raise MediaError(str(error), lasting=400 <= error.status < 429) from error

    @property
    def _messages(self) -> str:
        return f"{self.account_id}/messages"

    async def _send(self, envelope: Envelope, kind: str, content: Mapping[str, Any]) -> Outcome:
        body: dict[str, Any] = {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": envelope.to.removeprefix("+"),
            "type": kind,
            kind: content,
        }
        if envelope.reply_to:
            body["context"] = {"message_id": envelope.reply_to}
        if envelope.opaque:
            body["biz_opaque_callback_data"] = envelope.opaque
        answer = await self._api.post(self._messages, body)
        if not isinstance(answer, Answer):
            return answer
        if answer.status >= 300 or "error" in answer.body:
            return WHATSAPP_ERRORS.outcome(answer)
        ids = [text(message, "id") for message in nodes(answer.body, "messages")]
        if not ids or not ids[0]:
            return Undecided(f"HTTP {answer.status} without a message's id")
        return Accepted(ProviderId(ids[0]))

    async def _upload(self, file: OutgoingFile) -> str | Outcome:
        """The media's id. An upload that was cut may be repeated: it tells nobody anything."""
        size, mime_type, filename = file.file.size, file.file.mime_type, file.file.filename
        answer = await self._api.post_form(
            f"{self.account_id}/media",
            {"messaging_product": "whatsapp", "type": mime_type},
            FormFile("file", filename, mime_type, size, file.content()),
        )
        if isinstance(answer, Undecided):
            return RetryAfter(0, Scope.RECIPIENT, "UPLOAD_CUT", answer.cause)
        if not isinstance(answer, Answer):
            return answer
        return text(answer.body, "id") or WHATSAPP_ERRORS.outcome(answer)


def _kind(file: Attachment) -> tuple[str, int]:
    kind, cap = MEDIA_CAPS.get(file.mime_type, DOCUMENT)
    # An image that is too large for one still goes as a document.
    return (kind, cap) if file.size <= cap else DOCUMENT
