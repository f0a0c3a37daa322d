"""Files of messages: sent in the call, named by a URL, or by the id of an earlier one."""

import mimetypes
import secrets
from dataclasses import dataclass

from tools.simulators.json_value import JsonObject
from tools.simulators.link_fetch import LinkError, fetch_link
from tools.simulators.media_store import StoredMedia

from .bot import Bot
from .errors import TelegramError, bad_request
from .parameters import Parameters

_FOREVER = 10 * 365 * 86_400.0
_MAX_PHOTO = 10 << 20

KINDS = ("document", "photo", "audio", "video", "voice", "animation", "sticker")


@dataclass(frozen=True, slots=True)
class MessageFile:
    """What a message holds."""

    kind: str
    stored: StoredMedia

    def json(self) -> JsonObject:
        """The message's field of this kind."""
        facts = self.stored.facts
        common: JsonObject = {
            "file_id": self.stored.id,
            "file_unique_id": facts.sha256[:16],
            "file_size": facts.size,
        }
        named = common | {"file_name": facts.filename, "mime_type": facts.mime_type}
        match self.kind:
            case "photo":
                return {"photo": [common | {"width": 1, "height": 1}]}
            case "video" | "animation":
                return {self.kind: named | {"width": 1, "height": 1, "duration": 0}}
            case "audio":
                return {"audio": named | {"duration": 0}}
            case "voice":
                return {"voice": common | {"duration": 0, "mime_type": facts.mime_type}}
            case "sticker":
                sticker = {"type": "regular", "width": 512, "height": 512, "is_animated": False, "is_video": False}
                return {"sticker": common | sticker}
            case _:
                return {"document": named}


async def file_of(bot: Bot, kind: str, parameters: Parameters) -> MessageFile:
    """The file of a call that sends one.

    Raises:
        TelegramError: there is none, it can't be fetched, or it is too large.
    """
    name = parameters.text(kind)
    sent = parameters.files.get(name.removeprefix("attach://") if name.startswith("attach://") else kind)
    if sent is not None:
        return MessageFile(kind, _keep(bot, kind, sent.content, sent.mime_type, sent.filename))
    if name.startswith(("http://", "https://")):
        return MessageFile(kind, await _fetched(bot, kind, name))
    stored = bot.context.media.get(name)
    if not name:
        raise bad_request(f"there is no {kind} in the request")
    if stored is None or stored.owner != bot.id:
        raise bad_request("wrong file identifier/HTTP URL specified")
    return MessageFile(kind, stored)


def keep_file(bot: Bot, content: bytes, mime_type: str, filename: str) -> StoredMedia:
    """Keep a file that somebody sent."""
    file_id = f"BQAC{secrets.token_urlsafe(40)}"
    return bot.context.media.put(file_id, bot.id, content, mime_type, _FOREVER, filename)


def kind_of(mime_type: str) -> str:
    """What a file of such a type is sent as by a person who doesn't choose."""
    return {"image": "photo", "video": "video", "audio": "audio"}.get(mime_type.partition("/")[0], "document")


def path_of(stored: StoredMedia) -> str:
    """The file's path below /file/bot<token>/."""
    suffix = mimetypes.guess_extension(stored.facts.mime_type) or ".bin"
    return f"files/{stored.id}{suffix}"


def _keep(bot: Bot, kind: str, content: bytes, mime_type: str, filename: str) -> StoredMedia:
    if not content:
        raise bad_request("file must be non-empty")
    if len(content) > bot.service.upload_limit_bytes:
        raise TelegramError(413, "Request Entity Too Large")
    if kind == "photo" and len(content) > _MAX_PHOTO:
        raise bad_request(f"too big for a photo: {len(content)} bytes")
    return keep_file(bot, content, mime_type, filename)


async def _fetched(bot: Bot, kind: str, url: str) -> StoredMedia:
    try:
        content, mime_type = await fetch_link(bot.context.session, url, bot.service.url_upload_limit_bytes)
    except LinkError:
        raise bad_request("failed to get HTTP URL content") from None
    filename = url.partition("?")[0].rpartition("/")[2] or "file"
    return _keep(bot, kind, content, mime_type, filename)
