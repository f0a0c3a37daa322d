"""What a number's customers do."""

from collections.abc import Callable

from tools.simulators.customer_actions import CustomerFile, CustomerMessage, UnknownTargetError
from tools.simulators.json_value import JsonObject
from tools.simulators.traffic import Direction
from tools.simulators.webhooks.sender import Event

from .account import Conversation, WhatsAppAccount
from .events import contact_of, message_value
from .media_types import MIME_TYPES
from .message_ids import new_message_id, new_object_id
from .status_ladder import StatusLadder

AccountOf = Callable[[str], tuple[WhatsAppAccount, StatusLadder]]
"""A number by its id; UnknownTargetError when there is none."""


class WhatsAppCustomers:
    """The customers of every number."""

    def __init__(self, account_of: AccountOf) -> None:
        self._account_of = account_of

    async def send(self, account: str, customer: str, message: CustomerMessage) -> str:
        """Write to the number."""
        number, _ = self._account_of(account)
        conversation = _writes(number, customer)
        conversation.name = message.name or conversation.name
        content: JsonObject = {}
        media_id = None
        if message.reply_to is not None:
            content["context"] = {"from": number.settings.display_phone_number, "id": message.reply_to}
        if message.unsupported:
            unsupported = {"code": 131051, "title": "Message type unknown", "message": "Message type unknown"}
            unsupported["error_data"] = {"details": "Message type is currently not supported."}
            content |= {"type": "unsupported", "errors": [unsupported]}
        elif message.file is not None:
            kind, node = _media_node(number, message.file, message.text)
            media_id = node["id"]
            content |= {"type": kind, kind: node}
        else:
            content |= {"type": "text", "text": {"body": message.text}}
        return _tell(number, conversation, content, text=message.text, media_id=media_id)

    def react(self, account: str, customer: str, message_id: str, emoji: str) -> None:
        """React to a message."""
        number, _ = self._account_of(account)
        _check_message(number, customer, message_id)
        reaction = {"message_id": message_id} | ({"emoji": emoji} if emoji else {})
        content = {"type": "reaction", "reaction": reaction}
        _tell(number, _writes(number, customer), content, text=emoji, about=message_id)

    def edit(self, account: str, customer: str, message_id: str, text: str) -> None:
        """Change an own text."""
        number, _ = self._account_of(account)
        _check_own(number, customer, message_id)
        edit = {"original_message_id": message_id, "message": {"type": "text", "text": {"body": text}}}
        _tell(number, _writes(number, customer), {"type": "edit", "edit": edit}, text=text, about=message_id)

    def delete(self, account: str, customer: str, message_id: str) -> None:
        """Take an own message back."""
        number, _ = self._account_of(account)
        _check_own(number, customer, message_id)
        content = {"type": "revoke", "revoke": {"original_message_id": message_id}}
        _tell(number, _writes(number, customer), content, about=message_id)

    def read(self, account: str, customer: str, message_id: str | None) -> int:
        """Read a message, or all that were delivered."""
        number, ladder = self._account_of(account)
        if message_id is not None:
            _check_message(number, customer, message_id)
        unread = number.conversation(customer).unread
        chosen = list(unread) if message_id is None else [message_id]
        messages = [message for each in chosen if (message := number.outgoing.get(each)) is not None]
        for each in chosen:
            if each in unread:
                unread.remove(each)
        return sum(ladder.read(message) for message in messages)

    def set_window(self, account: str, customer: str, is_open: bool) -> None:
        """Open or close the window."""
        number, _ = self._account_of(account)
        number.conversation(customer).last_wrote_at = number.context.now() if is_open else None

    def set_reachable(self, account: str, customer: str, is_reachable: bool) -> None:
        """Make messages to the customer undeliverable, or no more."""
        number, _ = self._account_of(account)
        number.conversation(customer).is_reachable = is_reachable


def _writes(number: WhatsAppAccount, customer: str) -> Conversation:
    if not (customer.isascii() and customer.isdigit()):
        raise UnknownTargetError("a WhatsApp customer is named by the digits of the phone number")
    conversation = number.conversation(customer)
    conversation.last_wrote_at = number.context.now()
    number.throughput.take()  # what comes in counts too, and is never refused
    return conversation


def _media_node(number: WhatsAppAccount, file: CustomerFile, caption: str) -> tuple[str, JsonObject]:
    media_id = new_object_id()
    lifetime = number.limits.received_media_lifetime_seconds
    stored = number.context.media.put(media_id, number.id, file.content, file.mime_type, lifetime, file.filename)
    kind = MIME_TYPES.get(file.mime_type.partition(";")[0], "document")
    node: JsonObject = {"id": media_id, "mime_type": file.mime_type, "sha256": stored.sha256_base64}
    if kind == "document":
        node["filename"] = file.filename
    if kind == "audio":
        node["voice"] = False
    elif kind == "sticker":
        node["animated"] = False
    elif caption:
        node["caption"] = caption
    return kind, node


def _check_message(number: WhatsAppAccount, customer: str, message_id: str) -> None:
    outgoing = number.outgoing.get(message_id)
    if (outgoing is None or outgoing.customer != customer) and number.incoming.get(message_id) != customer:
        raise UnknownTargetError(f"there is no message {message_id} in this conversation")


def _check_own(number: WhatsAppAccount, customer: str, message_id: str) -> None:
    if number.incoming.get(message_id) != customer:
        raise UnknownTargetError(f"the customer wrote no message {message_id}")


def _tell(
    number: WhatsAppAccount,
    conversation: Conversation,
    content: JsonObject,
    *,
    text: str = "",
    about: str | None = None,
    media_id: str | None = None,
) -> str:
    customer = conversation.customer
    message_id = new_message_id(customer)
    now = number.context.now()
    message = {"from": customer, "from_user_id": conversation.user_id, "id": message_id, "timestamp": str(int(now))}
    number.incoming.put(message_id, customer)
    contact = contact_of(customer, conversation.user_id, conversation.name)
    number.webhook.add(Event(customer, message_value(number.settings, contact, message | content)))
    number.context.traffic.add(
        now,
        number.place(customer),
        Direction.CUSTOMER,
        content["type"],
        message_id=about or message_id,
        text=text,
        media_id=media_id,
    )
    return message_id
