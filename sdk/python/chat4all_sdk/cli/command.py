"""Runs the body of a command: opens the client, writes the answer, turns errors into exit codes."""

import asyncio
from collections.abc import Awaitable, Callable

import typer

from chat4all_sdk.cli.failure import USAGE, describe, exit_code, to_record
from chat4all_sdk.cli.output import Output
from chat4all_sdk.cli.session_file import SessionFile
from chat4all_sdk.cli.settings import Settings
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.errors import ChatError

__all__ = ["Body", "run", "session_file"]

Body = Callable[[AsyncClient, Output], Awaitable[None]]


def run(context: typer.Context, body: Body) -> None:
    """Runs a body with a client that goes on with the saved session. Leaves with typer.Exit on errors."""
    settings: Settings = context.obj
    output = Output(as_json=settings.json)
    try:
        asyncio.run(_with_client(settings, output, body))
    except ChatError as error:
        output.error(to_record(error), describe(error, settings))
        raise typer.Exit(exit_code(error)) from None
    except UnicodeEncodeError:
        raise typer.BadParameter("the text is not valid UTF-8") from None
    except BrokenPipeError:  # whoever reads the answer wants no more of it, which typer ends quietly
        raise
    except OSError as error:
        message = f"can't use the saved session: {error}"
        output.error({"code": "", "reason": "", "message": message}, message)
        raise typer.Exit(USAGE) from None


def session_file(settings: Settings) -> SessionFile:
    """Where the session of the chosen profile and server is saved."""
    return SessionFile(settings.folder, settings.profile, settings.server)


async def _with_client(settings: Settings, output: Output, body: Body) -> None:
    async with AsyncClient(
        settings.server, store=session_file(settings), tls=settings.tls, timeout=settings.timeout
    ) as client:
        await body(client, output)
