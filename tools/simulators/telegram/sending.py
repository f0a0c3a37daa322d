"""Messages of the bot: who can be written to, limits, faults."""

import asyncio
from dataclasses import dataclass

from tools.simulators.channel import Channel
from tools.simulators.connection import DropConnectionError
from tools.simulators.faults import Fault, FaultKind
from tools.simulators.json_value import JsonObject
from tools.simulators.traffic import Direction

from .bot import Bot, Chat
from .errors import TelegramError, bad_request, blocked, too_many_requests
from .files import MessageFile, file_of
from .parameters import Parameters

MAX_TEXT = 4_096
MAX_CAPTION = 1_024


@dataclass(frozen=True, slots=True)
class Sending:
    """Sends for one bot."""

    bot: Bot

    async def send_text(self, parameters: Parameters) -> JsonObject:
        """SendMessage."""
        chat = self._chat(parameters)
        text = parameters.text("text")
        _check_length(text, MAX_TEXT, "message text is empty", "message is too long")
        return await self._send(chat, "text", text, {"text": text}, parameters)

    async def send_file(self, kind: str, parameters: Parameters) -> JsonObject:
        """SendDocument, sendPhoto and their like."""
        chat = self._chat(parameters)
        caption = parameters.text("caption")
        _check_length(caption, MAX_CAPTION, None, "message caption is too long")
        file = await file_of(self.bot, kind, parameters)
        content = file.json() | ({"caption": caption} if caption else {})
        return await self._send(chat, kind, caption, content, parameters, file)

    async def send_location(self, parameters: Parameters) -> JsonObject:
        """SendLocation."""
        chat = self._chat(parameters)
        try:
            location = {name: float(parameters.text(name)) for name in ("latitude", "longitude")}
        except ValueError:
            raise bad_request("latitude and longitude must be numbers") from None
        text = f"{location['latitude']}, {location['longitude']}"
        return await self._send(chat, "location", text, {"location": location}, parameters)

    async def edit_text(self, parameters: Parameters) -> JsonObject:
        """EditMessageText."""
        chat, message = self._own_message(parameters)
        text = parameters.text("text")
        _check_length(text, MAX_TEXT, "message text is empty", "message is too long")
        if message.get("text") == text:
            raise bad_request(
                "message is not modified: specified new message content and reply markup are exactly the same as a "
                "current content and reply markup of the message"
            )
        message |= {"text": text, "edit_date": int(self.bot.context.now())}
        self._note(chat, "edit", message["message_id"], text)
        return message

    async def delete(self, parameters: Parameters) -> bool:
        """DeleteMessage: of either side, in a private chat."""
        chat = self._chat(parameters)
        message_id = parameters.required_number("message_id")
        if chat.messages.remove(message_id) is None:
            raise bad_request("message to delete not found")
        self._note(chat, "deletion", message_id)
        return True

    async def act(self, parameters: Parameters) -> bool:
        """SendChatAction."""
        self._note(self._chat(parameters), parameters.text("action") or "typing", None)
        return True

    async def react(self, parameters: Parameters) -> bool:
        """SetMessageReaction."""
        chat = self._chat(parameters)
        message_id = parameters.required_number("message_id")
        if chat.messages.get(message_id) is None:
            raise bad_request("message to react not found")
        reactions = parameters.object("reaction") or []
        if not isinstance(reactions, list) or not all(isinstance(each, dict) for each in reactions):
            raise bad_request("can't parse reaction JSON object")
        emoji = str(reactions[0].get("emoji", "")) if reactions else ""
        self._note(chat, "reaction", message_id, emoji)
        return True

    def _chat(self, parameters: Parameters) -> Chat:
        chat_id = parameters.chat_id()
        chat = None if chat_id is None else self.bot.chat(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        return chat

    def _own_message(self, parameters: Parameters) -> tuple[Chat, JsonObject]:
        chat = self._chat(parameters)
        message = chat.messages.get(parameters.required_number("message_id"))
        if message is None:
            raise bad_request("message to edit not found")
        if not message["from"]["is_bot"]:
            raise bad_request("message can't be edited")
        return chat, message

    async def _send(
        self,
        chat: Chat,
        kind: str,
        text: str,
        content: JsonObject,
        parameters: Parameters,
        file: MessageFile | None = None,
    ) -> JsonObject:
        if not chat.is_reachable:
            raise blocked()
        reply = self._reply(chat, parameters)
        self._take_tokens(chat)
        faults = self.bot.context.faults
        delay, fault = faults.strike_request(Channel.TELEGRAM, self.bot.id, str(chat.id))
        if delay:
            await asyncio.sleep(delay)
        if fault is not None:
            _refuse(fault)
        is_answered = fault is None or fault.kind is not FaultKind.ACCEPT_THEN_DROP
        message = self._message(chat, content, reply)
        self.bot.context.note_accepted(
            self.bot.place(chat),
            str(message["message_id"]),
            kind,
            text,
            reply_to=None if reply is None else str(reply["message_id"]),
            media=None if file is None else file.stored.facts,
            media_id=None if file is None else file.stored.id,
            answered=is_answered,
        )
        if not is_answered:
            raise DropConnectionError
        return message

    def _reply(self, chat: Chat, parameters: Parameters) -> JsonObject | None:
        wanted = parameters.object("reply_parameters") or {}
        if not isinstance(wanted, dict):
            raise bad_request("can't parse reply parameters JSON object")
        nested = Parameters(wanted)
        message_id = nested.number("message_id") or parameters.number("reply_to_message_id")
        if message_id is None:
            return None
        message = chat.messages.get(message_id)
        name = "allow_sending_without_reply"
        if message is None and not nested.flag(name) and not parameters.flag(name):
            raise bad_request("message to be replied not found")
        return message

    def _take_tokens(self, chat: Chat) -> None:
        wait = chat.bucket.take()
        if wait:
            raise too_many_requests(wait)
        wait = self.bot.overall.take()
        if wait:
            chat.bucket.give_back()
            raise too_many_requests(wait)

    def _message(self, chat: Chat, content: JsonObject, reply: JsonObject | None) -> JsonObject:
        message: JsonObject = {
            "message_id": self.bot.next_message_id(),
            "from": self.bot.user(),
            "chat": chat.json(),
            "date": int(self.bot.context.now()),
            **content,
        }
        if reply is not None:
            message["reply_to_message"] = {key: value for key, value in reply.items() if key != "reply_to_message"}
        chat.messages.put(message["message_id"], message)
        return message

    def _note(self, chat: Chat, kind: str, message_id: int | None, text: str = "") -> None:
        context = self.bot.context
        about = None if message_id is None else str(message_id)
        context.traffic.add(context.now(), self.bot.place(chat), Direction.BUSINESS, kind, message_id=about, text=text)


def _refuse(fault: Fault) -> None:
    match fault.kind:
        case FaultKind.RATE_LIMIT:
            raise too_many_requests(fault.seconds)
        case FaultKind.SERVER_ERROR:
            raise TelegramError(500, "Internal Server Error")
        case FaultKind.ERROR:
            raise TelegramError(fault.code or 400, fault.message or "Bad Request")
        case FaultKind.TOKEN_EXPIRED:
            raise TelegramError(401, "Unauthorized")
        case FaultKind.UNDELIVERABLE:
            raise blocked()
        case FaultKind.DROP_BEFORE_ACCEPT:
            raise DropConnectionError


def _check_length(text: str, limit: int, if_empty: str | None, if_long: str) -> None:
    if if_empty is not None and not text:
        raise bad_request(if_empty)
    # The service counts UTF-16 code units.
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 > limit:
        raise bad_request(if_long)
