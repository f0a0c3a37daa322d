"""Messages of the account: window, limits, faults, and the echo."""

import asyncio
from dataclasses import dataclass

from tools.simulators.channel import Channel
from tools.simulators.connection import DropConnectionError
from tools.simulators.faults import Fault, FaultKind
from tools.simulators.graph.access_token import expired_token
from tools.simulators.graph.error import GraphError, bad_parameter
from tools.simulators.json_value import JsonObject
from tools.simulators.media_store import StoredMedia
from tools.simulators.traffic import Direction
from tools.simulators.webhooks.sender import Event

from . import errors
from .account import Conversation, InstagramAccount, Message
from .attachments import fetch_attachment, url_of
from .events import event
from .message_ids import new_message_id
from .message_request import ActionRequest, MessageRequest
from .reading import read_later


@dataclass(frozen=True, slots=True)
class Sending:
    """Sends for one account."""

    account: InstagramAccount

    def act(self, request: ActionRequest) -> JsonObject:
        """Mark as seen, type, react.

        Raises:
            GraphError: nobody, or no such message.
        """
        conversation = self._conversation(request.recipient)
        if request.message_id is not None:
            message = self.account.messages.get(request.message_id)
            if message is None or message.customer != conversation.customer:
                raise bad_parameter("Param payload[message_id] isn't the id of a message of this conversation")
        context = self.account.context
        context.traffic.add(
            context.now(),
            self.account.place(conversation.customer),
            Direction.BUSINESS,
            "read" if request.action == "mark_seen" else request.action,
            message_id=request.message_id,
            text=request.reaction,
        )
        return {"recipient_id": conversation.customer}

    async def send(self, request: MessageRequest) -> JsonObject:
        """Accept a message; the answer is the request's.

        Raises:
            GraphError: it is refused.
            DropConnectionError: a fault; the message may have been accepted.
        """
        conversation = self._conversation(request.recipient)
        if not self.account.is_open(conversation, request.is_agent):
            raise errors.outside_window()
        if not conversation.is_reachable:
            raise errors.unavailable()
        bucket = self.account.media if request.type in ("audio", "video") else self.account.texts
        if bucket.take():
            raise errors.too_many_calls()
        attachment = await fetch_attachment(self.account, request)
        faults = self.account.context.faults
        delay, fault = faults.strike_request(Channel.INSTAGRAM, self.account.id, conversation.customer)
        if delay:
            await asyncio.sleep(delay)
        if fault is not None:
            self._refuse(fault)
        is_answered = fault is None or fault.kind is not FaultKind.ACCEPT_THEN_DROP
        message_id = self._accept(request, conversation, attachment, is_answered)
        if not is_answered:
            raise DropConnectionError
        return {"recipient_id": conversation.customer, "message_id": message_id}

    def _conversation(self, recipient: str) -> Conversation:
        found = self.account.conversation(recipient)
        if found is None:
            raise errors.no_such_user()
        return found

    def _refuse(self, fault: Fault) -> None:
        match fault.kind:
            case FaultKind.RATE_LIMIT:
                raise errors.too_many_calls()
            case FaultKind.APP_LIMIT:
                raise errors.app_limit()
            case FaultKind.SERVER_ERROR:
                raise errors.temporary()
            case FaultKind.ERROR:
                code = fault.code or 0
                raise GraphError(fault.status or 400, code, f"(#{code}) {fault.message or 'Error'}")
            case FaultKind.TOKEN_EXPIRED:
                now = self.account.context.now()
                raise expired_token(now, now)
            case FaultKind.WINDOW_CLOSED:
                raise errors.outside_window()
            case FaultKind.UNDELIVERABLE:
                raise errors.unavailable()
            case FaultKind.DROP_BEFORE_ACCEPT:
                raise DropConnectionError

    def _accept(
        self, request: MessageRequest, conversation: Conversation, attachment: StoredMedia | None, is_answered: bool
    ) -> str:
        account, customer = self.account, conversation.customer
        message = Message(new_message_id(), customer, is_own=True)
        account.messages.put(message.id, message)
        conversation.unread.append(message.id)
        account.context.note_accepted(
            account.place(customer),
            message.id,
            request.type,
            request.text,
            reply_to=request.reply_to,
            media=None if attachment is None else attachment.facts,
            media_id=None if attachment is None else attachment.id,
            answered=is_answered,
        )
        content: JsonObject = {"mid": message.id, "is_echo": True}
        if request.text:
            content["text"] = request.text
        if attachment is not None:
            content["attachments"] = [{"type": request.type, "payload": {"url": url_of(account, attachment)}}]
        if request.reply_to is not None:
            content["reply_to"] = {"mid": request.reply_to}
        echo = event(account.id, customer, account.context.now(), {"message": content})
        account.webhook.add(Event(customer, echo))
        read_later(account, message.id)
        return message.id
