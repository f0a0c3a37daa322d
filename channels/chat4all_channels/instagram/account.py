"""A professional account of ours on Instagram."""

import re
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import aiohttp

from chat4all_channels.account_config import InstagramConfig
from chat4all_channels.channel import Envelope, Limits, OutgoingFile, RenewedToken, TokenError
from chat4all_channels.event import MediaError, MediaReference
from chat4all_channels.form import node, whole
from chat4all_channels.form import text as text_of
from chat4all_channels.http_api import Answer, DownloadError, HttpApi
from chat4all_channels.instagram.capabilities import ATTACHMENT_TYPES, INSTAGRAM, MEDIA_CAPS
from chat4all_channels.instagram.error_table import INSTAGRAM_ERRORS
from chat4all_channels.meta.webhook import MetaWebhook
from chat4all_channels.outcome import Accepted, Outcome, Undecided
from chat4all_core.domain.channel import AccountId, ProviderId
from chat4all_core.domain.file import Attachment
from chat4all_core.ports.rate_limiter import RateLimit
from chat4all_core.setting import Secret

BASE_URL = "https://graph.instagram.com/v25.0"
# Texts may go at 300 a second; media at 10, which hold for everything here, for an account's calls are not told apart.
_ACCOUNT = RateLimit(rate=300, burst=300)
_RECIPIENT = RateLimit(rate=10, burst=10)


class InstagramAccount(MetaWebhook):
    """Implements ChannelAccount, SendsFiles, MarksRead, ReceivesWebhooks, RenewsToken and FetchesMedia."""

    capabilities = INSTAGRAM
    limits = Limits(account=_ACCOUNT, recipient=_RECIPIENT)

    def __init__(self, config: InstagramConfig, session: aiohttp.ClientSession) -> None:
        super().__init__(config.app_secret, config.verify_token)
        self.account_id = AccountId(config.instagram_id)
        token = {"Authorization": f"Bearer {config.access_token.value}"}
        base_url = config.base_url or BASE_URL
        self._api = HttpApi(session, base_url, token)
        # Tokens are renewed where there is no version.
        self._tokens = HttpApi(session, re.sub(r"/v\d+\.\d+/*$", "", base_url), token)
        self._access_token = config.access_token

    async def send_text(self, envelope: Envelope, text: str) -> Outcome:
        """See ChannelAccount.send_text."""
        return await self._send(envelope, {"text": text})

    def takes(self, file: Attachment) -> bool:
        """See SendsFiles.takes."""
        return 0 < file.size <= MEDIA_CAPS.get(_major(file), 0)

    def max_caption(self, file: Attachment) -> int:
        """See SendsFiles.max_caption."""
        return 0

    async def send_file(self, envelope: Envelope, file: OutgoingFile) -> Outcome:
        """See SendsFiles.send_file. Instagram fetches the file from the link."""
        attachment = {"type": ATTACHMENT_TYPES[_major(file.file)], "payload": {"url": file.link}}
        return await self._send(envelope, {"attachment": attachment})

    async def mark_read(self, message: ProviderId, sender: str) -> Outcome:
        """See MarksRead.mark_read. Instagram marks the whole thread."""
        return await self._post({"recipient": {"id": sender}, "sender_action": "mark_seen"}, accepted=message)

    async def renew_token(self) -> RenewedToken:
        """See RenewsToken.renew_token. Instagram wants the token to be a day old, and not to have ended."""
        query = {"grant_type": "ig_refresh_token", "access_token": self._access_token.value}
        answer = await self._tokens.get("refresh_access_token", query)
        if not isinstance(answer, Answer):
            raise TokenError(answer.cause)
        token, seconds = text_of(answer.body, "access_token"), whole(answer.body, "expires_in")
        if answer.status != 200 or not token or not seconds:
            raise TokenError(text_of(node(answer.body, "error"), "message") or f"HTTP {answer.status}")
        return RenewedToken(Secret(token), self._access_token, seconds)

    async def fetch_media(self, media: MediaReference) -> AsyncGenerator[bytes, None]:
        """See FetchesMedia.fetch_media."""
        try:
            async for chunk in self._api.download(media.reference):
                yield chunk
        except DownloadError as error:
            raise MediaError(str(error), lasting=400 <= error.status < 429) from error

    async def _send(self, envelope: Envelope, message: Mapping[str, Any]) -> Outcome:
        body: dict[str, Any] = {"recipient": {"id": envelope.to}, "message": message}
        if envelope.reply_to:
            body["reply_to"] = {"mid": envelope.reply_to}
        return await self._post(body, accepted=None)

    async def _post(self, body: Mapping[str, Any], accepted: ProviderId | None) -> Outcome:
        answer = await self._api.post(f"{self.account_id}/messages", body)
        if not isinstance(answer, Answer):
            return answer
        if answer.status >= 300 or "error" in answer.body:
            return INSTAGRAM_ERRORS.outcome(answer)
        provider_id = accepted or text_of(answer.body, "message_id")
        return Accepted(ProviderId(provider_id)) if provider_id else Undecided("an answer without a message's id")


def _major(file: Attachment) -> str:
    return file.mime_type.partition("/")[0]
