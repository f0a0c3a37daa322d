"""The commands about messages."""

import sys
from contextlib import AsyncExitStack
from typing import Annotated
from uuid import UUID

import typer
from rich.text import Text

from chat4all_sdk.cli.command import run
from chat4all_sdk.cli.names import NameBook, find_conversation
from chat4all_sdk.cli.output import Output
from chat4all_sdk.cli.rendering import message_line
from chat4all_sdk.cli.send_file import sent_file
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.models import Message

__all__ = ["history", "read", "send"]

Name = Annotated[str, typer.Argument(metavar="CONVERSATION", help="Its id, @username or CHANNEL:ADDRESS.")]


def send(
    context: typer.Context,
    conversation: Name,
    text: Annotated[
        str | None, typer.Argument(metavar="TEXT", help="The message; - reads it from standard input.")
    ] = None,
    file: Annotated[
        str | None, typer.Option(metavar="PATH", help="A file that the message carries; then TEXT may be left out.")
    ] = None,
    reply_to: Annotated[UUID | None, typer.Option(help="The id of the message that this one answers.")] = None,
    request_id: Annotated[
        UUID | None, typer.Option(help="Names the send: repeating it with the same id sends nothing twice.")
    ] = None,
    channel: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Reach recipients on this channel besides, or on all; may be repeated."),
    ] = None,
    metadata: Annotated[
        list[str] | None, typer.Option(metavar="KEY=VALUE", help="Your own data, given back with the message.")
    ] = None,
) -> None:
    """Send a message; succeeds once it is stored durably.

    Examples: `chat4all send @bob "Lunch?"`, `uptime | chat4all send @bob -`,
    `chat4all send @bob --file report.pdf`, `chat4all send whatsapp:+5511987654321 "Lunch?"`
    """
    if text is None and file is None:
        raise typer.BadParameter("TEXT is missing (or --file)")
    content = _stdin() if text == "-" else text or ""
    pairs = dict(_pair(item) for item in metadata or ())

    async def body(client: AsyncClient, output: Output) -> None:
        conversation_id = await find_conversation(client, conversation)
        async with AsyncExitStack() as stack:
            carried = None
            if file is not None:
                carried = await stack.enter_async_context(sent_file(client, context.obj, output, conversation_id, file))
            sent = await client.send(
                conversation_id,
                content,
                file_id=carried.file_id if carried else None,
                request_id=str(request_id) if request_id else None,
                reply_to=str(reply_to) if reply_to else None,
                metadata=pairs,
                channels=channel or (),
            )
        output.record(sent, f"{sent.state} {sent.message_id}")

    run(context, body)


def history(
    context: typer.Context,
    conversation: Name,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many messages at most.")] = 20,
    before: Annotated[int, typer.Option(min=0, help="Only messages before this number.")] = 0,
    after: Annotated[int, typer.Option(min=0, help="Only messages after this number, the first ones.")] = 0,
) -> None:
    """Show the newest messages of a conversation, oldest of them first."""

    async def body(client: AsyncClient, output: Output) -> None:
        conversation_id = await find_conversation(client, conversation)
        names = NameBook(client)
        for message in await _load(client, conversation_id, limit, before, after):
            shown = Text() if output.as_json else await message_line(names, message)
            output.record(message, shown)

    run(context, body)


def read(
    context: typer.Context,
    target: Annotated[
        str,
        typer.Argument(metavar="MESSAGE_ID", help="A message's id, or @username for the newest that person sent you."),
    ],
) -> None:
    """Mark messages as read, up to and including one."""

    async def body(client: AsyncClient, output: Output) -> None:
        message_id = target
        if target.startswith("@"):
            message_id = await _newest_from_other(client, await find_conversation(client, target))
        await client.mark_read(message_id)
        output.record({"message_id": message_id, "state": "READ"}, f"READ {message_id}")

    run(context, body)


async def _load(client: AsyncClient, conversation_id: str, limit: int, before: int, after: int) -> list[Message]:
    found: list[Message] = []
    async for message in client.messages(
        conversation_id, before_sequence=before, after_sequence=after, page_size=min(limit, 100)
    ):
        found.append(message)
        if len(found) == limit:
            break
    return found if after else found[::-1]


async def _newest_from_other(client: AsyncClient, conversation_id: str) -> str:
    me = (await client.me()).user_id
    async for message in client.messages(conversation_id):
        if message.sender != me:
            return message.message_id
    raise typer.BadParameter("there is no message to mark in that conversation")


def _stdin() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError:
        raise typer.BadParameter("standard input is not UTF-8 text") from None


def _pair(item: str) -> tuple[str, str]:
    key, separator, value = item.partition("=")
    if not separator:
        raise typer.BadParameter(f"{item!r} is not KEY=VALUE")
    return key, value
