"""The commands about other people."""

from typing import Annotated

import typer

from chat4all_sdk.cli.command import run
from chat4all_sdk.cli.names import find_people
from chat4all_sdk.cli.output import Output
from chat4all_sdk.cli.terminal_text import printable
from chat4all_sdk.client import AsyncClient

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Look people up.")


@app.command()
def find(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME", help="A username, in any letter case.")],
) -> None:
    """Find an account by its username."""

    async def body(client: AsyncClient, output: Output) -> None:
        (user,) = await find_people(client, [name])
        output.record(user, f"{printable(user.username)} ({user.user_id})")

    run(context, body)
