"""The command that tells all about one message."""

from typing import Annotated

import typer
from rich.text import Text

from chat4all_sdk.cli.command import run
from chat4all_sdk.cli.names import NameBook
from chat4all_sdk.cli.output import Output
from chat4all_sdk.cli.rendering import failure_text, message_line
from chat4all_sdk.cli.terminal_text import printable
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.models import Message

__all__ = ["show"]


def show(
    context: typer.Context,
    message_id: Annotated[str, typer.Argument(metavar="MESSAGE_ID", help="As `send` and `history` print it.")],
) -> None:
    """Show a message with every recipient's state and, where it failed, why and what helps."""

    async def body(client: AsyncClient, output: Output) -> None:
        message = await client.get_message(message_id)
        output.record(message, Text() if output.as_json else await _lines(NameBook(client), message))

    run(context, body)


async def _lines(names: NameBook, message: Message) -> Text:
    text = await message_line(names, message)
    for recipient in message.recipients:
        who = await names.person(recipient.participant)
        on = f" on {printable(recipient.channel)}" if recipient.channel and ":" not in recipient.participant else ""
        text.append(f"\n    {recipient.state} for {who}{on}")
        if recipient.failure is not None:
            text.append(failure_text(recipient.failure), style="red")
    return text
