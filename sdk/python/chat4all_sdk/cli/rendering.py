"""Messages and events as lines for people."""

from datetime import datetime

from rich.filesize import decimal
from rich.text import Text

from chat4all_sdk.cli.names import NameBook
from chat4all_sdk.cli.terminal_text import printable
from chat4all_sdk.events import ConversationChanged, Event, MessageCreated, Reset, StatusChanged
from chat4all_sdk.models import AttachedFile, DeliveryFailure, Message

__all__ = ["event_line", "failure_text", "message_line"]


async def message_line(names: NameBook, message: Message, *, label: str = "") -> Text:
    """One message; further lines of its text are indented."""
    sender = await names.person(message.sender)
    return Text.assemble(
        (_clock(message.create_time), "dim"),
        f" {label}",
        (f"#{message.sequence} ", "dim"),
        (sender, "bold"),
        f": {printable(message.text, indent='    ')}",
        _file(message.file),
        (f"  {message.state} {message.message_id}", "dim"),
    )


async def event_line(names: NameBook, event: Event, *, labelled: bool) -> Text | None:
    """One event, with the conversation's name when `labelled`; None for what people need not see."""
    match event:
        case MessageCreated():
            label = await _label(names, event.message.conversation_id) if labelled else ""
            return await message_line(names, event.message, label=label)
        case StatusChanged():
            label = await _label(names, event.conversation_id) if labelled else ""
            who = await names.person(event.participant)
            return _status_line(event, label, who)
        case ConversationChanged():
            label = await _label(names, event.conversation_id)
            what = "new conversation" if event.version == 1 else "participants changed:"
            return Text(f"{_clock(event.time)} {what} {label}{event.conversation_id}", style="dim")
        case Reset():
            return Text("Some events were missed; `chat4all history CONVERSATION` has them.", style="yellow")
        case _:
            return None


def _status_line(event: StatusChanged, label: str, who: str) -> Text:
    if not event.channel:
        return Text(f"{_clock(event.time)} {label}{event.state} by {who} up to #{event.sequence}", style="dim")
    on = "" if ":" in event.participant else f" on {printable(event.channel)}"
    line = Text(f"{_clock(event.time)} {label}#{event.sequence} {event.state} for {who}{on}", style="dim")
    if event.failure is not None:
        line.append(failure_text(event.failure), style="red")
    return line


def failure_text(failure: DeliveryFailure) -> str:
    """Why a delivery failed and what helps, to follow its state."""
    return f": {printable(failure.reason)} ({printable(failure.code)}). {printable(failure.remedy)}"


def _file(file: AttachedFile | None) -> str:
    if file is None:
        return ""
    return f"  [{printable(file.filename)}, {decimal(file.size_bytes)}, {file.file_id}]"


async def _label(names: NameBook, conversation_id: str) -> str:
    return f"[{await names.conversation(conversation_id)}] "


def _clock(time: datetime) -> str:
    return f"{time.astimezone():%Y-%m-%d %H:%M}"
