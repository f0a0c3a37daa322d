"""What WhatsApp tells us by webhooks.

Source: developers.facebook.com/docs/whatsapp/cloud-api/webhooks/components.
"""

from collections.abc import Collection, Sequence

from chat4all_channels.channel import Piece, WebhookError
from chat4all_channels.event import ChannelEvent, MediaReference, Reacted, Received, Reported, Unsupported
from chat4all_channels.form import Json, encode, json_object, node, nodes, text, whole
from chat4all_channels.whatsapp.capabilities import WHATSAPP
from chat4all_channels.whatsapp.error_table import WHATSAPP_ERRORS
from chat4all_core.domain.channel import AccountId, ProviderId
from chat4all_core.domain.delivery import DeliveryFailure
from chat4all_core.domain.delivery_state import DeliveryState
from chat4all_core.domain.timestamp import SECOND, Timestamp

_STATES = {
    "sent": DeliveryState.SENT,
    "delivered": DeliveryState.DELIVERED,
    "read": DeliveryState.READ,
    "played": DeliveryState.READ,  # a voice message that was listened to
    "failed": DeliveryState.FAILED,
}
_MEDIA = ("image", "audio", "video", "document", "sticker")


class WhatsAppChannel:
    """Implements Channel. A piece is one message or one status with the metadata and contacts around it."""

    capabilities = WHATSAPP

    def split(self, body: bytes, accounts: Collection[AccountId]) -> Sequence[Piece]:
        """See Channel.split."""
        root = json_object(body)
        if root.get("object") != "whatsapp_business_account":
            raise WebhookError("not of a WhatsApp business account")
        pieces = []
        for entry in nodes(root, "entry"):
            for change in nodes(entry, "changes"):
                value = node(change, "value")
                account = AccountId(text(node(value, "metadata"), "phone_number_id"))
                if account in accounts:
                    pieces += [_piece(account, name, item, value) for name, item in _items(change, value)]
        return pieces

    def parse(self, account: AccountId, piece: bytes) -> Sequence[ChannelEvent]:
        """See Channel.parse."""
        root = json_object(piece)
        if "status" in root:
            return [_status(account, node(root, "status"))]
        if "message" in root:
            return [_message(account, node(root, "message"), nodes(root, "contacts"))]
        return [Unsupported(account, text(root, "field") or "unknown")]


def _items(change: Json, value: Json) -> Sequence[tuple[str, Json]]:
    messages = [("message", message) for message in nodes(value, "messages")]
    statuses = [("status", status) for status in nodes(value, "statuses")]
    return [*messages, *statuses] or [("change", change)]


def _piece(account: AccountId, name: str, item: Json, value: Json) -> Piece:
    person = _address(text(item, "from") or text(item, "recipient_id"))
    around = {"contacts": nodes(value, "contacts")} if name == "message" else {}
    return Piece(account, person, encode({name: item, **around}))


def _message(account: AccountId, message: Json, contacts: Sequence[Json]) -> ChannelEvent:
    sender, provider_id = _address(text(message, "from")), ProviderId(text(message, "id"))
    kind, time = text(message, "type"), _time(message)
    if not WHATSAPP.allows(sender) or not provider_id:
        return Unsupported(account, kind or "unknown")
    if kind == "reaction":
        reaction = node(message, "reaction")
        return Reacted(account, sender, ProviderId(text(reaction, "message_id")), time, text(reaction, "emoji"))
    content = node(message, kind)
    media = (_media(kind, content),) if kind in _MEDIA else ()
    body = text(content, "caption") if media else _body(kind, content)
    if not body and not media:
        return Unsupported(account, kind or "unknown")
    reply_to = text(node(message, "context"), "id")
    return Received(
        account=account,
        sender=sender,
        provider_id=provider_id,
        time=time,
        text=body,
        media=media,
        reply_to=ProviderId(reply_to) if reply_to else None,
        sender_name=_name(contacts, text(message, "from")),
    )


def _body(kind: str, content: Json) -> str:
    """What a message that is no file says, in words."""
    match kind:
        case "text":
            return text(content, "body")
        case "button":
            return text(content, "text")
        case "interactive":
            answer = node(content, text(content, "type"))
            return text(answer, "title") or text(answer, "body")
        case "location":
            place = f"{content.get('latitude')},{content.get('longitude')}"
            return " ".join(part for part in (text(content, "name"), text(content, "address"), f"geo:{place}") if part)
        case _:
            return ""


def _media(kind: str, content: Json) -> MediaReference:
    filename = text(content, "filename") or f"{kind}-{text(content, 'id')}"
    return MediaReference(text(content, "id"), filename, text(content, "mime_type").partition(";")[0], None)


def _status(account: AccountId, status: Json) -> ChannelEvent:
    state = _STATES.get(text(status, "status"))
    provider_id = ProviderId(text(status, "id"))
    if state is None or not provider_id:
        return Unsupported(account, f"status {text(status, 'status')}"[:64])
    return Reported(
        account=account,
        recipient=_address(text(status, "recipient_id")),
        provider_id=provider_id,
        state=state,
        time=_time(status),
        opaque=text(status, "biz_opaque_callback_data"),
        failure=_failure(nodes(status, "errors")) if state is DeliveryState.FAILED else None,
    )


def _failure(errors: Sequence[Json]) -> DeliveryFailure:
    error = errors[0] if errors else {}
    code = whole(error, "code")
    reason = text(node(error, "error_data"), "details") or text(error, "message") or text(error, "title")
    remedy = WHATSAPP_ERRORS.remedies.get(code) or WHATSAPP_ERRORS.account.get(code, "")
    return DeliveryFailure(
        str(code), reason or "WhatsApp does not say why", remedy or "Look the code up in Meta's documentation."
    )


def _address(digits: str) -> str:
    return f"+{digits}" if digits else ""


def _time(item: Json) -> Timestamp:
    return Timestamp(whole(item, "timestamp") * SECOND)


def _name(contacts: Sequence[Json], wa_id: str) -> str:
    for contact in contacts:
        if text(contact, "wa_id") == wa_id:
            return text(node(contact, "profile"), "name")
    return ""
