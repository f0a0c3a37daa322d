"""The command that shows what happens as it happens."""

import dataclasses
import re
from typing import Annotated, Any

import typer
from rich.text import Text

from chat4all_sdk.cli.command import run
from chat4all_sdk.cli.names import NameBook, find_conversation
from chat4all_sdk.cli.output import Output
from chat4all_sdk.cli.rendering import event_line
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.events import Event

__all__ = ["follow"]


def follow(
    context: typer.Context,
    conversation: Annotated[
        str | None,
        typer.Argument(metavar="[CONVERSATION]", help="Only this one: its id, or @username."),
    ] = None,
    cursor: Annotated[str | None, typer.Option(help="Go on after this place (the field `cursor` of --json).")] = None,
    ack: Annotated[bool, typer.Option("--ack/--no-ack", help="Whether messages shown become DELIVERED.")] = True,
) -> None:
    """Show messages and states as they come, until Ctrl-C.

    A lost connection is made again, and no event is missed or shown twice.
    """

    async def body(client: AsyncClient, output: Output) -> None:
        await client.me()  # fails at once when not logged in or out of reach
        only = await find_conversation(client, conversation) if conversation else None
        names = NameBook(client)
        async with client.subscribe(cursor, only, acknowledge=ack) as events:
            output.remark("Following; Ctrl-C ends it.")
            async for event in events:
                shown = Text() if output.as_json else await event_line(names, event, labelled=only is None)
                if shown is not None:
                    output.record(_record(event), shown)

    try:
        run(context, body)
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _record(event: Event) -> dict[str, Any]:
    kind = re.sub(r"(?<!^)(?=[A-Z])", "_", type(event).__name__).lower()
    fields = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    return {"type": kind, **fields}
