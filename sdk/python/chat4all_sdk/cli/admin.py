"""The commands of those who operate the platform."""

from typing import Annotated

import typer
from rich.text import Text

from chat4all_sdk.admin_models import DeadLetter
from chat4all_sdk.cli.command import run
from chat4all_sdk.cli.output import Output
from chat4all_sdk.cli.terminal_text import printable
from chat4all_sdk.client import AsyncClient

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Operate the platform; for admins.")
_letters = typer.Typer(no_args_is_help=True, help="What could not be handled.")
app.add_typer(_letters, name="dead-letters")


@app.command()
def status(context: typer.Context) -> None:
    """Show how the platform does."""

    async def body(client: AsyncClient, output: Output) -> None:
        found = await client.system_status()
        lines = [f"{name}: {'ready' if ready else 'not ready'}" for name, ready in found.parts.items()]
        lines.append(f"channels: {', '.join(found.channels) or 'none'}")
        output.record(found, "\n".join(lines))

    run(context, body)


@_letters.command("list")
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 20,
) -> None:
    """List dead letters, newest first."""

    async def body(client: AsyncClient, output: Output) -> None:
        left = limit
        async for letter in client.dead_letters(min(limit, 100)):
            output.record(letter, _text(letter))
            left -= 1
            if not left:
                break
        if left == limit:
            output.remark("No dead letters.")

    run(context, body)


@_letters.command()
def redrive(
    context: typer.Context,
    dead_letter_ids: Annotated[list[str], typer.Argument(metavar="DEAD_LETTER_ID...", help="As the list has them.")],
) -> None:
    """Have dead letters tried again."""

    async def body(client: AsyncClient, output: Output) -> None:
        for dead_letter_id in dead_letter_ids:
            letter = await client.redrive_dead_letter(dead_letter_id)
            output.record(letter, f"{letter.dead_letter_id} is tried again.")

    run(context, body)


def _text(letter: DeadLetter) -> Text:
    again = "  (tried again)" if letter.redrive_time else ""
    text = Text.assemble(
        (f"{letter.reject_time.astimezone():%Y-%m-%d %H:%M} ", "dim"),
        (letter.dead_letter_id, "bold"),
        f"  {printable(letter.key)}: {printable(letter.reason)} ({printable(letter.code)}){again}",
    )
    if letter.remedy:
        text.append(f"\n    {printable(letter.remedy)}")
    for event in letter.history:
        text.append(f"\n    {event.time.astimezone():%Y-%m-%d %H:%M} {printable(event.what)}", "dim")
    return text
