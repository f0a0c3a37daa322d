"""The commands put together, with the global options."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from chat4all_sdk.cli import account, admin, conversations, files, identities, messages, users
from chat4all_sdk.cli.follow import follow
from chat4all_sdk.cli.settings import Settings
from chat4all_sdk.cli.show import show

__all__ = ["main"]

_FLAGS = ("--json", "--tls", "--no-tls")
_VALUES = ("--server", "--profile", "--timeout")


def main() -> None:
    """The entry point of the command `chat4all`."""
    _silence_core()
    _app()(args=global_options_first(sys.argv[1:]))


def global_options_first(arguments: Sequence[str]) -> list[str]:
    """Moves the global options before the command, so that they may be written anywhere before `--`."""
    first: list[str] = []
    rest: list[str] = []
    items = iter(arguments)
    for item in items:
        if item == "--":
            return [*first, *rest, item, *items]
        if item in _FLAGS or item.startswith(tuple(f"{name}=" for name in _VALUES)):
            first.append(item)
        elif item in _VALUES:
            first += [item, *([value] if (value := next(items, None)) is not None else [])]
        else:
            rest.append(item)
    return first + rest


def _silence_core() -> None:
    """Keeps remarks of gRPC's core (about each server that goes away) out of the commands' answers.

    The core writes to descriptor 2 directly, and reads GRPC_VERBOSITY, by which it can be silenced,
    when it is imported: before this runs. Who sets that variable wants to see the remarks.
    """
    if "GRPC_VERBOSITY" in os.environ:
        return
    sys.stderr.flush()
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1, encoding=sys.stderr.encoding, errors="backslashreplace")
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)


def _app() -> typer.Typer:
    app = typer.Typer(
        name="chat4all",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        epilog="People are named by their username; conversations by their id, or by @username or "
        "CHANNEL:ADDRESS (such as whatsapp:+5511987654321) for the direct one with that person. Exit codes: "
        "0 done, 1 refused by the server, 2 wrong usage, 3 not logged in, 4 server out of reach.",
    )
    app.callback()(_settings)
    for command in (
        account.register,
        account.login,
        account.logout,
        account.whoami,
        messages.send,
        messages.history,
        show,
        messages.read,
        follow,
    ):
        app.command()(command)
    app.add_typer(admin.app, name="admin")
    app.add_typer(conversations.app, name="conversations")
    app.add_typer(files.app, name="files")
    app.add_typer(identities.app, name="identities")
    app.add_typer(users.app, name="users")
    return app


def _settings(
    context: typer.Context,
    server: Annotated[
        str, typer.Option(envvar="CHAT4ALL_SERVER", metavar="HOST:PORT", help="The server to talk to.")
    ] = "localhost:8080",
    profile: Annotated[
        str, typer.Option(envvar="CHAT4ALL_PROFILE", help="Whose saved session to use; for several accounts.")
    ] = "default",
    as_json: Annotated[
        bool, typer.Option("--json", help="Answer with one JSON object a line; errors too, on standard error.")
    ] = False,
    tls: Annotated[
        bool | None,
        typer.Option("--tls/--no-tls", help="Encrypt or not; left out, all but this machine is encrypted."),
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds to try before giving up.")] = 10.0,
) -> None:
    """Chat4All on the command line.

    Begin with `chat4all register NAME`, `chat4all login NAME` and `chat4all send @NAME TEXT`; see what
    comes with `chat4all follow`. Global options may stand anywhere.
    """
    if "://" in server:
        raise typer.BadParameter(f"{server!r} is not HOST:PORT", param_hint="--server")
    folder = Path(typer.get_app_dir("chat4all")) / "sessions"
    context.obj = Settings(server=server, profile=profile, json=as_json, tls=tls, timeout=timeout, folder=folder)
