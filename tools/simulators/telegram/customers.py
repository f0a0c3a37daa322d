"""What the people do who talk to a bot. Telegram tells bots of no reading and no deletion."""

from collections.abc import Callable

from tools.simulators.customer_actions import CustomerMessage, UnknownTargetError, UnsupportedActionError
from tools.simulators.json_value import JsonObject
from tools.simulators.traffic import Direction

from .bot import Bot, Chat
from .files import MessageFile, keep_file, kind_of

BotOf = Callable[[str], Bot]
"""A bot by its id; UnknownTargetError when there is none."""


class TelegramCustomers:
    """The customers of every bot."""

    def __init__(self, bot_of: BotOf) -> None:
        self._bot_of = bot_of

    async def send(self, account: str, customer: str, message: CustomerMessage) -> str:
        """Write to the bot, which makes the chat known to it."""
        bot = self._bot_of(account)
        chat = bot.begin(_chat_id(customer))
        chat.name = message.name or chat.name
        content, media_id = _content(bot, message)
        if message.reply_to is not None:
            content["reply_to_message"] = _message(chat, message.reply_to)
        sent = {
            "message_id": bot.next_message_id(),
            "from": chat.person(),
            "chat": chat.json(),
            "date": int(bot.context.now()),
            **content,
        }
        chat.messages.put(sent["message_id"], sent)
        bot.updates.add("message", str(chat.id), sent)
        kind = "text" if message.file is None else "file"
        _note(bot, chat, kind, str(sent["message_id"]), message.text, media_id)
        return str(sent["message_id"])

    def react(self, account: str, customer: str, message_id: str, emoji: str) -> None:
        """React to a message; a bot hears of it only when it asked for message_reaction."""
        bot = self._bot_of(account)
        chat = _chat(bot, customer)
        message = _message(chat, message_id)
        content = {
            "chat": chat.json(),
            "message_id": message["message_id"],
            "user": chat.person(),
            "date": int(bot.context.now()),
            "old_reaction": [],
            "new_reaction": [{"type": "emoji", "emoji": emoji}] if emoji else [],
        }
        bot.updates.add("message_reaction", str(chat.id), content)
        _note(bot, chat, "reaction", message_id, emoji)

    def edit(self, account: str, customer: str, message_id: str, text: str) -> None:
        """Change an own text."""
        bot = self._bot_of(account)
        chat = _chat(bot, customer)
        message = _message(chat, message_id)
        if message["from"]["is_bot"] or "text" not in message:
            raise UnknownTargetError(f"the customer wrote no text {message_id}")
        edited = message | {"text": text, "edit_date": int(bot.context.now())}
        chat.messages.put(message["message_id"], edited)
        bot.updates.add("edited_message", str(chat.id), edited)
        _note(bot, chat, "edit", message_id, text)

    def delete(self, account: str, customer: str, message_id: str) -> None:
        """Not told to bots."""
        raise UnsupportedActionError("Telegram doesn't tell bots of deletions")

    def read(self, account: str, customer: str, message_id: str | None) -> int:
        """Not told to bots."""
        raise UnsupportedActionError("Telegram doesn't tell bots of reading")

    def set_window(self, account: str, customer: str, is_open: bool) -> None:
        """There is no window."""
        raise UnsupportedActionError("Telegram has no window")

    def set_reachable(self, account: str, customer: str, is_reachable: bool) -> None:
        """Block the bot, or no more; the bot is told."""
        bot = self._bot_of(account)
        chat = _chat(bot, customer)
        if chat.is_reachable == is_reachable:
            return
        chat.is_reachable = is_reachable
        member: JsonObject = {"user": bot.user(), "status": "member"}
        kicked: JsonObject = {"user": bot.user(), "status": "kicked", "until_date": 0}
        content = {
            "chat": chat.json(),
            "from": chat.person(),
            "date": int(bot.context.now()),
            "old_chat_member": kicked if is_reachable else member,
            "new_chat_member": member if is_reachable else kicked,
        }
        bot.updates.add("my_chat_member", str(chat.id), content)
        _note(bot, chat, "unblocked" if is_reachable else "blocked", None)


def _content(bot: Bot, message: CustomerMessage) -> tuple[JsonObject, str | None]:
    if message.unsupported:
        return {"dice": {"emoji": "🎲", "value": 4}}, None
    if message.file is None:
        content: JsonObject = {"text": message.text}
        command = message.text.split()[0] if message.text.startswith("/") else ""
        if command:
            content["entities"] = [{"type": "bot_command", "offset": 0, "length": len(command)}]
        return content, None
    stored = keep_file(bot, message.file.content, message.file.mime_type, message.file.filename)
    content = MessageFile(kind_of(message.file.mime_type), stored).json()
    return content | ({"caption": message.text} if message.text else {}), stored.id


def _chat_id(customer: str) -> int:
    if not (customer.isascii() and customer.removeprefix("-").isdigit()):
        raise UnknownTargetError("a Telegram chat is named by a number")
    return int(customer)


def _chat(bot: Bot, customer: str) -> Chat:
    chat = bot.chat(_chat_id(customer))
    if chat is None:
        raise UnknownTargetError(f"{customer} never wrote to this bot")
    return chat


def _message(chat: Chat, message_id: str) -> JsonObject:
    message = chat.messages.get(int(message_id)) if message_id.isdigit() else None
    if message is None:
        raise UnknownTargetError(f"there is no message {message_id} in this chat")
    return message


def _note(bot: Bot, chat: Chat, kind: str, message_id: str | None, text: str = "", media_id: str | None = None) -> None:
    bot.context.traffic.add(
        bot.context.now(),
        bot.place(chat),
        Direction.CUSTOMER,
        kind,
        message_id=message_id,
        text=text,
        media_id=media_id,
    )
