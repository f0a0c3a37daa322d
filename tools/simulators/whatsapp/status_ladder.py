"""Sent, delivered, read: what becomes of an accepted message, and when the webhook is told."""

from collections.abc import Callable

from tools.simulators.json_value import JsonObject
from tools.simulators.traffic import Direction
from tools.simulators.webhooks.sender import Event

from .account import MessageState, OutgoingMessage, WhatsAppAccount
from .errors import status_error
from .events import contact_of, status_value


class StatusLadder:
    """The states of one number's messages."""

    def __init__(self, account: WhatsAppAccount) -> None:
        self._account = account

    def climb(self, message: OutgoingMessage) -> None:
        """Sent, delivered, and read where the settings say so."""
        limits = self._account.limits

        def sent() -> None:
            self._reach(message, MessageState.SENT)
            self._after(limits.delivered_seconds, delivered)

        def delivered() -> None:
            self._reach(message, MessageState.DELIVERED)
            if limits.read_seconds is not None:
                self._after(limits.read_seconds, lambda: self.read(message))

        self._after(limits.sent_seconds, sent)

    def fail(self, message: OutgoingMessage, code: int, details: str | None = None) -> None:
        """Tell that the message doesn't arrive."""
        self._after(self._account.limits.sent_seconds, lambda: self._failed(message, code, details))

    def fail_then_deliver(self, message: OutgoingMessage, code: int) -> None:
        """Fail on one of the user's devices and arrive on another."""

        def failed() -> None:
            self._failed(message, code, None)
            self._after(self._account.limits.delivered_seconds, lambda: self._reach(message, MessageState.DELIVERED))

        self._after(self._account.limits.sent_seconds, failed)

    def read(self, message: OutgoingMessage) -> bool:
        """The user reads it; False when it was read before, or failed."""
        if message.state in (MessageState.READ, MessageState.FAILED):
            return False
        self._reach(message, MessageState.READ)
        return True

    def _reach(self, message: OutgoingMessage, state: MessageState) -> None:
        if message.state >= state:
            return  # what was read at once is no more delivered
        message.state = state
        if state is MessageState.DELIVERED:
            self._account.conversation(message.customer).unread.append(message.id)
        pricing = {"billable": False, "pricing_model": "PMP", "type": "free_customer_service", "category": "service"}
        self._tell(message, state.name.lower(), {"pricing": pricing})

    def _failed(self, message: OutgoingMessage, code: int, details: str | None) -> None:
        message.state = MessageState.FAILED
        self._tell(message, "failed", {"errors": [status_error(code, details)]}, str(code))

    def _tell(self, message: OutgoingMessage, status: str, more: JsonObject, note: str = "") -> None:
        account = self._account
        conversation = account.conversation(message.customer)
        now = account.context.now()
        value: JsonObject = {
            "id": message.id,
            "status": status,
            "timestamp": str(int(now)),
            "recipient_id": message.customer,
            "recipient_user_id": conversation.user_id,
        }
        if message.opaque is not None:
            value["biz_opaque_callback_data"] = message.opaque
        contact = contact_of(message.customer, conversation.user_id, conversation.name)
        account.webhook.add(Event(message.customer, status_value(account.settings, contact, value | more)))
        account.context.traffic.add(
            now, account.place(message.customer), Direction.SERVICE, status, message_id=message.id, text=note
        )

    def _after(self, seconds: float, call: Callable[[], object]) -> None:
        if seconds <= 0:
            call()
        else:
            self._account.context.timers.after(seconds, call)
