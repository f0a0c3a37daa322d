"""The customer reads what the account sent. There is no event of its delivery."""

from tools.simulators.traffic import Direction
from tools.simulators.webhooks.sender import Event

from .account import InstagramAccount
from .events import event


def read(account: InstagramAccount, customer: str, message_id: str) -> int:
    """Read a message and those before it; the answer is how many were unread."""
    conversation = account.conversation(customer)
    if conversation is None or message_id not in conversation.unread:
        return 0
    count = 0
    while conversation.unread:
        count += 1
        if conversation.unread.popleft() == message_id:
            break
    now = account.context.now()
    account.webhook.add(Event(customer, event(customer, account.id, now, {"read": {"mid": message_id}})))
    account.context.traffic.add(now, account.place(customer), Direction.SERVICE, "read", message_id=message_id)
    return count


def read_later(account: InstagramAccount, message_id: str) -> None:
    """Read a message by itself, where the settings say so."""
    seconds, message = account.service.read_seconds, account.messages.get(message_id)
    if seconds is not None and message is not None:
        account.context.timers.after(seconds, lambda: read(account, message.customer, message_id))
