"""Messages of the business: limits, window, faults, and what becomes of them."""

import asyncio
from dataclasses import dataclass

from tools.simulators.channel import Channel
from tools.simulators.connection import DropConnectionError
from tools.simulators.faults import Fault, FaultKind
from tools.simulators.graph.access_token import expired_token
from tools.simulators.graph.error import GraphError
from tools.simulators.json_value import JsonObject
from tools.simulators.traffic import Direction

from .account import Conversation, OutgoingMessage, WhatsAppAccount
from .errors import refusal, throttle_headers
from .message_ids import new_message_id
from .message_media import MessageMedia, media_of
from .message_request import MessageRequest, ReadRequest
from .status_ladder import StatusLadder
from .templates import render


@dataclass(frozen=True, slots=True)
class Sending:
    """Sends for one number."""

    account: WhatsAppAccount
    ladder: StatusLadder

    def mark_read(self, request: ReadRequest) -> JsonObject:
        """Mark a customer's message, and those before it, as read.

        Raises:
            GraphError: 131009, no such message.
        """
        customer = self.account.incoming.get(request.message_id)
        if customer is None:
            raise refusal(131009, "Param message_id isn't the id of a message that this number received.")
        kind = "typing" if request.typing else "read"
        context = self.account.context
        context.traffic.add(
            context.now(), self.account.place(customer), Direction.BUSINESS, kind, message_id=request.message_id
        )
        return {"success": True}

    async def send(self, request: MessageRequest) -> JsonObject:
        """Accept a message; the answer is the request's.

        Raises:
            GraphError: it is refused.
            DropConnectionError: a fault; the message may have been accepted.
        """
        conversation = self._conversation(request)
        text = self._text(request)
        media = await media_of(self.account, request)
        is_closed = not request.is_template and not self.account.is_open(conversation)
        if is_closed and not self.account.limits.window_by_status:
            raise refusal(131047)
        self._take_tokens(conversation)
        faults = self.account.context.faults
        delay, fault = faults.strike_request(Channel.WHATSAPP, self.account.id, conversation.customer)
        if delay:
            await asyncio.sleep(delay)
        if fault is not None:
            self._refuse(fault)
        message = self._accept(request, conversation, text, media, fault)
        self._begin_ladder(message, conversation, media, is_closed, fault)
        if fault is not None and fault.kind is FaultKind.ACCEPT_THEN_DROP:
            raise DropConnectionError
        contact = {"input": request.input, "wa_id": conversation.customer, "user_id": conversation.user_id}
        return {
            "messaging_product": "whatsapp",
            "contacts": [contact],
            "messages": [{"id": message.id, "message_status": "accepted"}],
        }

    def _conversation(self, request: MessageRequest) -> Conversation:
        if request.to:
            return self.account.conversation(request.to)
        found = self.account.conversation_of_user_id(request.recipient or "")
        if found is None:
            raise refusal(131009, "Param recipient isn't the id of a user who wrote to this business.")
        return found

    def _text(self, request: MessageRequest) -> str:
        if request.is_template:
            return render(self.account.settings.templates, request.node)
        if request.type == "reaction":
            target = request.node["message_id"]
            if self.account.incoming.get(target) is None and self.account.outgoing.get(target) is None:
                raise refusal(131009, "Param reaction['message_id'] isn't the id of a message of this conversation.")
        return request.text

    def _take_tokens(self, conversation: Conversation) -> None:
        wait = conversation.pair.take()
        if wait:
            raise refusal(131056)
        wait = self.account.throughput.take()
        if wait:
            conversation.pair.give_back()
            raise refusal(130429, headers=throttle_headers(self.account.settings.business_account_id, wait))

    def _refuse(self, fault: Fault) -> None:
        headers = throttle_headers(self.account.settings.business_account_id, fault.seconds)
        match fault.kind:
            case FaultKind.RATE_LIMIT:
                raise refusal(130429, headers=headers)
            case FaultKind.APP_LIMIT:
                raise refusal(4, headers=headers)
            case FaultKind.PAIR_LIMIT:
                raise refusal(131056)
            case FaultKind.SERVER_ERROR:
                raise GraphError(500, 1, "An unknown error has occurred.", is_transient=True)
            case FaultKind.ERROR:
                code = fault.code or 0
                raise GraphError(
                    fault.status or 400, code, f"(#{code}) {fault.message or 'Error'}", details=fault.message
                )
            case FaultKind.TOKEN_EXPIRED:
                now = self.account.context.now()
                raise expired_token(now, now)
            case FaultKind.WINDOW_CLOSED if not fault.is_told_later:
                raise refusal(131047)
            case FaultKind.UNDELIVERABLE if not fault.is_told_later:
                raise refusal(131026)
            case FaultKind.DROP_BEFORE_ACCEPT:
                raise DropConnectionError

    def _accept(
        self, request: MessageRequest, conversation: Conversation, text: str, media: MessageMedia, fault: Fault | None
    ) -> OutgoingMessage:
        account = self.account
        message = OutgoingMessage(
            new_message_id(conversation.customer), conversation.customer, request.type, request.opaque
        )
        account.outgoing.put(message.id, message)
        account.context.note_accepted(
            account.place(conversation.customer),
            message.id,
            request.type,
            text,
            opaque=request.opaque,
            reply_to=request.reply_to,
            media=media.facts,
            media_id=media.id,
            answered=fault is None or fault.kind is not FaultKind.ACCEPT_THEN_DROP,
        )
        return message

    def _begin_ladder(
        self,
        message: OutgoingMessage,
        conversation: Conversation,
        media: MessageMedia,
        is_closed: bool,
        fault: Fault | None,
    ) -> None:
        kind = None if fault is None else fault.kind
        if is_closed or kind is FaultKind.WINDOW_CLOSED:
            self.ladder.fail(message, 131047)
        elif media.problem is not None:
            self.ladder.fail(message, 131053, media.problem)
        elif kind is FaultKind.UNDELIVERABLE or not conversation.is_reachable:
            self.ladder.fail(message, 131026)
        elif kind is FaultKind.DELIVERED_AFTER_FAILED:
            self.ladder.fail_then_deliver(message, 131026)
        else:
            self.ladder.climb(message)
