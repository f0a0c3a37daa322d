"""What Instagram tells us by webhooks.

Source: developers.facebook.com/docs/instagram-platform/webhooks.
"""

from collections.abc import Collection, Sequence
from urllib.parse import unquote, urlsplit

from chat4all_channels.channel import Piece, WebhookError
from chat4all_channels.event import (
    ChannelEvent,
    Deleted,
    Edited,
    MediaReference,
    Reacted,
    Received,
    Reported,
    Unsupported,
)
from chat4all_channels.form import Json, encode, json_object, node, nodes, text, whole
from chat4all_channels.instagram.capabilities import INSTAGRAM
from chat4all_core.domain.channel import AccountId, ProviderId
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.timestamp import Timestamp

_MILLISECOND = 1_000
_MEDIA = ("image", "video", "audio", "file")
"""Instagram says no more of the kind of a file than this."""


class InstagramChannel:
    """Implements Channel. A piece is one item of `messaging`."""

    capabilities = INSTAGRAM

    def split(self, body: bytes, accounts: Collection[AccountId]) -> Sequence[Piece]:
        """See Channel.split."""
        root = json_object(body)
        if root.get("object") != "instagram":
            raise WebhookError("not of Instagram")
        pieces = []
        for entry in nodes(root, "entry"):
            account = AccountId(text(entry, "id"))
            if account in accounts:
                pieces += [Piece(account, _person(account, item), encode(item)) for item in nodes(entry, "messaging")]
        return pieces

    def parse(self, account: AccountId, piece: bytes) -> Sequence[ChannelEvent]:
        """See Channel.parse. Instagram reports no DELIVERED: READ implies it."""
        item = json_object(piece)
        person, time = _person(account, item), Timestamp(whole(item, "timestamp") * _MILLISECOND)
        if not INSTAGRAM.allows(person):
            return [Unsupported(account, "unknown")]
        for kind, read in _KINDS.items():
            if kind in item:
                return read(account, person, time, node(item, kind))
        return [Unsupported(account, "unknown")]


def _person(account: AccountId, item: Json) -> str:
    """The one of the two who is not us."""
    sender, recipient = text(node(item, "sender"), "id"), text(node(item, "recipient"), "id")
    return recipient if sender == account else sender


def _message(account: AccountId, person: str, time: Timestamp, message: Json) -> Sequence[ChannelEvent]:
    provider_id = ProviderId(text(message, "mid"))
    if not provider_id:
        return [Unsupported(account, "message without id")]
    if message.get("is_echo") is True:
        # Our own message, as everybody sees it: evidence that it was sent, also where its answer never came.
        return [Reported(account, person, provider_id, DeliveryState.SENT, time)]
    if message.get("is_deleted") is True:
        return [Deleted(account, person, provider_id, time)]
    media = tuple(m for m in (_media(provider_id, a) for a in nodes(message, "attachments")) if m)
    body = text(message, "text")
    if not body and not media:
        return [Unsupported(account, "message")]
    reply_to = text(node(message, "reply_to"), "mid")
    return [Received(account, person, provider_id, time, body, media, ProviderId(reply_to) if reply_to else None)]


def _media(provider_id: ProviderId, attachment: Json) -> MediaReference | None:
    kind, url = text(attachment, "type"), text(node(attachment, "payload"), "url")
    if kind not in _MEDIA or not url:
        return None
    name = unquote(urlsplit(url).path.rpartition("/")[2])
    return MediaReference(url, name or kind, "", None)


def _reaction(account: AccountId, person: str, time: Timestamp, reaction: Json) -> Sequence[ChannelEvent]:
    emoji = text(reaction, "emoji") if text(reaction, "action") == "react" else ""
    return [Reacted(account, person, ProviderId(text(reaction, "mid")), time, emoji)]


def _read(account: AccountId, person: str, time: Timestamp, read: Json) -> Sequence[ChannelEvent]:
    return [Reported(account, person, ProviderId(text(read, "mid")), DeliveryState.READ, time, covers_earlier=True)]


def _edit(account: AccountId, person: str, time: Timestamp, edit: Json) -> Sequence[ChannelEvent]:
    return [Edited(account, person, ProviderId(text(edit, "mid")), time, text(edit, "text"))]


def _postback(account: AccountId, person: str, time: Timestamp, postback: Json) -> Sequence[ChannelEvent]:
    provider_id, title = ProviderId(text(postback, "mid")), text(postback, "title")
    if not provider_id or not title:
        return [Unsupported(account, "postback")]
    return [Received(account, person, provider_id, time, title)]


_KINDS = {
    "message": _message,
    "message_edit": _edit,
    "reaction": _reaction,
    "read": _read,
    "postback": _postback,
}
