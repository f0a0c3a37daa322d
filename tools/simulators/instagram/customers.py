"""What an account's customers do."""

from collections.abc import Callable

from tools.simulators.customer_actions import CustomerMessage, UnknownTargetError, UnsupportedActionError
from tools.simulators.json_value import JsonObject
from tools.simulators.traffic import Direction
from tools.simulators.webhooks.sender import Event

from .account import Conversation, InstagramAccount, Message
from .attachments import keep, type_of, url_of
from .events import event
from .message_ids import new_message_id
from .reading import read

MAX_EDITS = 5

AccountOf = Callable[[str], InstagramAccount]
"""An account by its id; UnknownTargetError when there is none."""


class InstagramCustomers:
    """The customers of every account."""

    def __init__(self, account_of: AccountOf) -> None:
        self._account_of = account_of

    async def send(self, account: str, customer: str, message: CustomerMessage) -> str:
        """Write to the account."""
        own = self._account_of(account)
        if not (customer.isascii() and customer.isdigit()):
            raise UnknownTargetError("an Instagram customer is named by digits")
        conversation = own.begin(customer)
        conversation.name = message.name or conversation.name
        sent = Message(new_message_id(), customer, is_own=False)
        own.messages.put(sent.id, sent)
        content: JsonObject = {"mid": sent.id}
        media_id = None
        if message.text:
            content["text"] = message.text
        if message.unsupported:
            content["is_unsupported"] = True
        if message.file is not None:
            stored = keep(own, message.file.content, message.file.mime_type, message.file.filename)
            media_id = stored.id
            content["attachments"] = [
                {"type": type_of(message.file.mime_type), "payload": {"url": url_of(own, stored)}}
            ]
        if message.reply_to is not None:
            content["reply_to"] = {"mid": message.reply_to}
        kind = "unsupported" if message.unsupported else "text" if message.file is None else "attachment"
        _tell(own, customer, {"message": content}, kind, sent.id, message.text, media_id)
        return sent.id

    def react(self, account: str, customer: str, message_id: str, emoji: str) -> None:
        """React to a message."""
        own = self._account_of(account)
        _message(own, customer, message_id)
        reaction: JsonObject = {"mid": message_id, "action": "react" if emoji else "unreact"}
        if emoji:
            reaction |= {"reaction": "love" if emoji.startswith("❤") else "other", "emoji": emoji}
        own.begin(customer)
        _tell(own, customer, {"reaction": reaction}, "reaction", message_id, emoji)

    def edit(self, account: str, customer: str, message_id: str, text: str) -> None:
        """Change an own text, five times at most."""
        own = self._account_of(account)
        message = _own_message(own, customer, message_id)
        if message.edits == MAX_EDITS:
            raise UnsupportedActionError(f"a message can be edited {MAX_EDITS} times")
        message.edits += 1
        edit = {"mid": message_id, "text": text, "num_edit": message.edits}
        _tell(own, customer, {"message_edit": edit}, "edit", message_id, text)

    def delete(self, account: str, customer: str, message_id: str) -> None:
        """Take an own message back."""
        own = self._account_of(account)
        _own_message(own, customer, message_id)
        _tell(own, customer, {"message": {"mid": message_id, "is_deleted": True}}, "deletion", message_id)

    def read(self, account: str, customer: str, message_id: str | None) -> int:
        """Read a message and those before it, or all."""
        own = self._account_of(account)
        unread = _conversation(own, customer).unread
        if message_id is not None:
            _message(own, customer, message_id)
            return read(own, customer, message_id)
        return read(own, customer, unread[-1]) if unread else 0

    def set_window(self, account: str, customer: str, is_open: bool) -> None:
        """Open or close the window."""
        own = self._account_of(account)
        conversation = own.begin(customer) if is_open else _conversation(own, customer)
        if not is_open:
            conversation.last_wrote_at = own.context.now() - own.service.agent_window_seconds

    def set_reachable(self, account: str, customer: str, is_reachable: bool) -> None:
        """Block the account, or no more."""
        _conversation(self._account_of(account), customer).is_reachable = is_reachable


def _conversation(account: InstagramAccount, customer: str) -> Conversation:
    found = account.conversation(customer)
    if found is None:
        raise UnknownTargetError(f"{customer} never wrote to this account")
    return found


def _message(account: InstagramAccount, customer: str, message_id: str) -> Message:
    message = account.messages.get(message_id)
    if message is None or message.customer != customer:
        raise UnknownTargetError(f"there is no message {message_id} in this conversation")
    return message


def _own_message(account: InstagramAccount, customer: str, message_id: str) -> Message:
    message = _message(account, customer, message_id)
    if message.is_own:
        raise UnknownTargetError(f"the customer wrote no message {message_id}")
    return message


def _tell(
    account: InstagramAccount,
    customer: str,
    content: JsonObject,
    kind: str,
    message_id: str,
    text: str = "",
    media_id: str | None = None,
) -> None:
    now = account.context.now()
    account.webhook.add(Event(customer, event(customer, account.id, now, content)))
    account.context.traffic.add(
        now, account.place(customer), Direction.CUSTOMER, kind, message_id=message_id, text=text, media_id=media_id
    )
