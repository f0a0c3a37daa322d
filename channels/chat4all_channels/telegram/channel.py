"""What Telegram tells us, by webhooks or when asked.

Source: core.telegram.org/bots/api#update.
"""

from collections.abc import Collection, Sequence

from chat4all_channels.channel import Piece, WebhookError
from chat4all_channels.event import ChannelEvent, Edited, MediaReference, Reacted, Received, Unsupported
from chat4all_channels.form import Json, json_object, node, nodes, text, whole
from chat4all_channels.telegram.capabilities import TELEGRAM
from chat4all_core.domain.channel import AccountId, ProviderId
from chat4all_core.domain.timestamp import SECOND, Timestamp

_MEDIA = ("document", "audio", "video", "voice", "animation", "video_note", "sticker")
_MIME_TYPES = {"photo": "image/jpeg", "voice": "audio/ogg", "video_note": "video/mp4", "sticker": "image/webp"}
_WITH_CHAT = ("message", "edited_message", "message_reaction", "my_chat_member", "channel_post")


class TelegramChannel:
    """Implements Channel. A piece is one update."""

    capabilities = TELEGRAM

    def split(self, body: bytes, accounts: Collection[AccountId]) -> Sequence[Piece]:
        """See Channel.split. An update does not say which bot it is for: the secret token does."""
        update = json_object(body)
        if not isinstance(update.get("update_id"), int):
            raise WebhookError("not an update")
        return [Piece(account, person_of(update), body) for account in accounts]

    def parse(self, account: AccountId, piece: bytes) -> Sequence[ChannelEvent]:
        """See Channel.parse. Telegram reports nothing on our messages."""
        update = json_object(piece)
        person = person_of(update)
        if not TELEGRAM.allows(person):
            return [Unsupported(account, "without a chat")]
        if "message" in update:
            return [_message(account, person, node(update, "message"))]
        if "edited_message" in update:
            message = node(update, "edited_message")
            body = text(message, "text") or text(message, "caption")
            return [Edited(account, person, provider_id_for(message), _time(message, "edit_date"), body)]
        if "message_reaction" in update:
            return [_reaction(account, person, node(update, "message_reaction"))]
        return [Unsupported(account, next((name for name in update if name != "update_id"), "unknown")[:64])]


def person_of(update: Json) -> str:
    """The chat that an update is about; empty for one of no chat."""
    for name in _WITH_CHAT:
        if chat := text(node(update, name, "chat"), "id"):
            return chat
    return text(node(update, "callback_query", "message", "chat"), "id")


def provider_id_for(message: Json) -> ProviderId:
    """Telegram numbers messages within a chat."""
    return ProviderId(f"{text(node(message, 'chat'), 'id')}:{text(message, 'message_id')}")


def _message(account: AccountId, person: str, message: Json) -> ChannelEvent:
    body = text(message, "text") or text(message, "caption")
    media = _media(message)
    if not body and not media:
        return Unsupported(account, "message")
    answered = node(message, "reply_to_message")
    sender = node(message, "from")
    return Received(
        account=account,
        sender=person,
        provider_id=provider_id_for(message),
        time=_time(message, "date"),
        text=body,
        media=media,
        reply_to=provider_id_for(answered) if answered else None,
        sender_name=" ".join(part for part in (text(sender, "first_name"), text(sender, "last_name")) if part),
    )


def _media(message: Json) -> tuple[MediaReference, ...]:
    photos = nodes(message, "photo")
    found = [("photo", photos[-1])] if photos else []  # the largest comes last
    found += [(kind, node(message, kind)) for kind in _MEDIA if node(message, kind)]
    # An animation comes as a document too, for clients that don't know animations.
    return tuple(_reference(kind, item) for kind, item in found[-1:])


def _reference(kind: str, item: Json) -> MediaReference:
    filename = text(item, "file_name") or f"{kind}-{text(item, 'file_unique_id')}"
    mime_type = text(item, "mime_type") or _MIME_TYPES.get(kind, "application/octet-stream")
    return MediaReference(text(item, "file_id"), filename, mime_type, whole(item, "file_size") or None)


def _reaction(account: AccountId, person: str, reaction: Json) -> ChannelEvent:
    emojis = [text(r, "emoji") for r in nodes(reaction, "new_reaction") if text(r, "emoji")]
    return Reacted(account, person, provider_id_for(reaction), _time(reaction, "date"), emojis[0] if emojis else "")


def _time(message: Json, name: str) -> Timestamp:
    return Timestamp(whole(message, name) * SECOND)
