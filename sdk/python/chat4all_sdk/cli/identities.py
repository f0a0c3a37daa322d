"""The commands about one's own addresses on channels."""

import sys
from typing import Annotated

import typer

from chat4all_sdk.cli.command import run
from chat4all_sdk.cli.output import Output
from chat4all_sdk.cli.terminal_text import printable
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.models import Identity, IdentityState

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Link your addresses on channels to your account.")

Channel = Annotated[str, typer.Argument(metavar="CHANNEL", help="Such as whatsapp.")]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="As the channel has it, such as +5511987654321.")]


@app.command()
def link(
    context: typer.Context,
    channel: Channel,
    address: Address,
    code: Annotated[str | None, typer.Option(help="The code that was sent to the address.")] = None,
) -> None:
    """Link an address to your account.

    A code is sent there, on that channel, and asked for. Without a terminal to ask on, the command ends then, and
    links when it is called again with --code.
    """

    async def body(client: AsyncClient, output: Output) -> None:
        identity = await client.link_identity(channel, address, code)
        if identity.state is IdentityState.CODE_SENT and sys.stdin.isatty():
            output.remark(_line(identity))
            answer = str(typer.prompt("Code", err=True)).strip()
            identity = await client.link_identity(channel, address, answer)
        output.record(identity, _line(identity))
        if identity.state is IdentityState.CODE_SENT:
            output.remark("Link it with the same command and --code CODE.")

    run(context, body)


@app.command("list")
def list_(context: typer.Context) -> None:
    """List the addresses that are linked to your account."""

    async def body(client: AsyncClient, output: Output) -> None:
        identities = await client.list_identities()
        for identity in identities:
            output.record(identity, _name(identity))
        if not identities:
            output.remark("No addresses yet. Link one with `chat4all identities link CHANNEL ADDRESS`.")

    run(context, body)


@app.command()
def unlink(context: typer.Context, channel: Channel, address: Address) -> None:
    """Give an address up."""

    async def body(client: AsyncClient, output: Output) -> None:
        await client.unlink_identity(channel, address)
        record = {"channel": channel, "address": address, "unlinked": True}
        output.record(record, f"{printable(f'{channel}:{address}')} is not linked any more.")

    run(context, body)


def _line(identity: Identity) -> str:
    what = "is linked to your account" if identity.state is IdentityState.LINKED else "was sent a code"
    return f"{_name(identity)} {what}."


def _name(identity: Identity) -> str:
    return printable(f"{identity.channel}:{identity.address}")
