"""What the webhook is told."""

from collections.abc import Mapping, Sequence

from tools.simulators.graph.signature import encode, sign
from tools.simulators.json_value import JsonObject
from tools.simulators.webhooks.sender import Format

from .settings import WhatsAppAccountSettings


def webhook_format(account: WhatsAppAccountSettings) -> Format:
    """A request with one change for each event."""

    def body(values: Sequence[JsonObject]) -> bytes:
        changes = [{"value": value, "field": "messages"} for value in values]
        entry = {"id": account.business_account_id, "changes": changes}
        return encode({"object": "whatsapp_business_account", "entry": [entry]})

    def headers(content: bytes) -> Mapping[str, str]:
        return sign(content, account.app_secret)

    return Format(body, headers)


def message_value(account: WhatsAppAccountSettings, contact: JsonObject, message: JsonObject) -> JsonObject:
    """A customer wrote, reacted, edited or deleted."""
    return _value(account, contact) | {"messages": [message]}


def status_value(account: WhatsAppAccountSettings, contact: JsonObject, status: JsonObject) -> JsonObject:
    """A message of the business came further, or failed."""
    return _value(account, contact) | {"statuses": [status]}


def contact_of(customer: str, user_id: str, name: str) -> JsonObject:
    """Who it is about."""
    return {"profile": {"name": name}, "wa_id": customer, "user_id": user_id}


def _value(account: WhatsAppAccountSettings, contact: JsonObject) -> JsonObject:
    metadata = {
        "display_phone_number": account.display_phone_number,
        "phone_number_id": account.phone_number_id,
    }
    return {"messaging_product": "whatsapp", "metadata": metadata, "contacts": [contact]}
