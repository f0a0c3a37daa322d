"""The commands about one's own account."""

import os
import sys
from typing import Annotated

import typer

from chat4all_sdk.cli.command import run, session_file
from chat4all_sdk.cli.output import Output
from chat4all_sdk.cli.terminal_text import printable
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.errors import DeadlineExceeded, Unavailable

__all__ = ["login", "logout", "register", "whoami"]

Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's username.")]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input (its first line).")
]


def register(
    context: typer.Context,
    name: Name,
    email: Annotated[str | None, typer.Option(help="An address, seen by you only.")] = None,
    password_stdin: PasswordStdin = False,
) -> None:
    """Make an account.

    The password is asked for without showing it. Scripts set CHAT4ALL_PASSWORD or use --password-stdin.
    """
    password = _password(password_stdin, confirm=True)

    async def body(client: AsyncClient, output: Output) -> None:
        user = await client.register(name, password, email)
        shown = printable(user.username)
        output.record(user, f"{shown} is registered ({user.user_id}).")
        output.remark(f"Log in with `chat4all login {shown}`.")

    run(context, body)


def login(context: typer.Context, name: Name, password_stdin: PasswordStdin = False) -> None:
    """Log in; later commands of the same --profile and --server act in this name.

    The password is asked for without showing it. Scripts set CHAT4ALL_PASSWORD or use --password-stdin.
    """
    password = _password(password_stdin, confirm=False)

    async def body(client: AsyncClient, output: Output) -> None:
        session = await client.login(name, password)
        user = await client.me()
        record = {"user_id": user.user_id, "username": user.username, "expires_at": session.expires_at}
        output.record(record, f"Logged in as {printable(user.username)}.")

    run(context, body)


def logout(context: typer.Context) -> None:
    """Log out: revoke the session on the server and forget it here."""

    async def body(client: AsyncClient, output: Output) -> None:
        revoked = client.session is not None
        try:
            await client.logout()
        except (Unavailable, DeadlineExceeded):
            revoked = False
            session_file(context.obj).save(None)
            output.remark("The server can't be reached: the session is forgotten here, but not revoked.")
        output.record({"logged_out": True, "revoked": revoked}, "Logged out.")

    run(context, body)


def whoami(context: typer.Context) -> None:
    """Show who is logged in."""

    async def body(client: AsyncClient, output: Output) -> None:
        user = await client.me()
        output.record(user, f"{printable(user.username)} ({user.user_id})")

    run(context, body)


def _password(from_stdin: bool, *, confirm: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if (password := os.environ.get("CHAT4ALL_PASSWORD")) is not None:
        return password
    if not sys.stdin.isatty():
        raise typer.BadParameter("no terminal to ask for the password: use --password-stdin or CHAT4ALL_PASSWORD")
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=confirm, err=True))
