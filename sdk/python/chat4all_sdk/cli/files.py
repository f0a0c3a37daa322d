"""The commands about files."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import typer
from rich.filesize import decimal
from rich.text import Text

from chat4all_sdk.cli.command import run
from chat4all_sdk.cli.names import NameBook, find_conversation
from chat4all_sdk.cli.output import Output
from chat4all_sdk.cli.send_file import cancel_upload_of, sent_file
from chat4all_sdk.cli.terminal_text import printable
from chat4all_sdk.cli.transfer_bar import transfer_bar
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.download import target_path
from chat4all_sdk.file_models import File

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Upload, download, list, link and delete files.")

Name = Annotated[str, typer.Argument(metavar="CONVERSATION", help="Its id, @username or CHANNEL:ADDRESS.")]
FileId = Annotated[str, typer.Argument(metavar="FILE_ID", help="The file's id.")]


@app.command()
def upload(
    context: typer.Context,
    path: Annotated[str, typer.Argument(metavar="PATH", help="The file; - reads standard input.")],
    conversation: Name,
    name: Annotated[str | None, typer.Option(help="What it is called there; left out, as here.")] = None,
    mime_type: Annotated[
        str | None, typer.Option("--type", help="Such as image/png; left out, it is found out.")
    ] = None,
    direct: Annotated[
        bool | None,
        typer.Option("--direct/--no-direct", help="Send parts straight to the store or not; left out, as is faster."),
    ] = None,
) -> None:
    """Upload a file, for the participants of a conversation.

    After an interruption, of whatever kind, the same command goes on where it was, and `files cancel` with the
    same PATH and CONVERSATION gives it up. A message can carry the file: `chat4all send CONVERSATION --file PATH`
    does both.
    """

    async def body(client: AsyncClient, output: Output) -> None:
        conversation_id = await find_conversation(client, conversation)
        async with sent_file(
            client, context.obj, output, conversation_id, path, name=name, mime_type=mime_type, direct=direct
        ) as file:
            output.record(file, f"{file.state} {file.file_id}")

    run(context, body)


@app.command()
def cancel(
    context: typer.Context,
    upload: Annotated[str, typer.Argument(metavar="PATH", help="The file; without CONVERSATION an upload's id.")],
    conversation: Annotated[
        str | None, typer.Argument(metavar="[CONVERSATION]", help="Where it was being uploaded to.")
    ] = None,
) -> None:
    """Give up an upload that was interrupted: what has come of it is removed.

    An upload that nobody goes on with is removed after a day anyway. A finished one is a file: `files delete`.
    """

    async def body(client: AsyncClient, output: Output) -> None:
        if conversation is None:
            await client.cancel_upload(upload)
            output.record({"upload_id": upload, "state": "CANCELLED"}, f"CANCELLED {printable(upload)}")
            return
        upload_id = await cancel_upload_of(client, context.obj, await find_conversation(client, conversation), upload)
        output.record({"upload_id": upload_id, "state": "CANCELLED"}, f"CANCELLED {printable(upload)}")

    run(context, body)


@app.command()
def download(
    context: typer.Context,
    file_id: FileId,
    path: Annotated[
        Path, typer.Argument(metavar="[PATH]", help="Where to: a folder or a new name; left out, the present folder.")
    ] = Path(),
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace a file that is there.")] = False,
) -> None:
    """Download a file. After an interruption the same command goes on where it was."""

    async def body(client: AsyncClient, output: Output) -> None:
        try:
            await _download(client, output, file_id, path, force=force)
        except asyncio.CancelledError:
            output.remark("Interrupted; the same command goes on from here.")
            raise

    run(context, body)


async def _download(client: AsyncClient, output: Output, file_id: str, path: Path, *, force: bool) -> None:
    file = await client.get_file(file_id)
    target = target_path(path, file)
    if target.exists() and not force:
        raise typer.BadParameter(f"{printable(str(target))} exists; --force replaces it")
    try:
        with transfer_bar(output, target.name) as show:
            await client.download(file_id, target, on_progress=show)
    except OSError as error:
        raise typer.BadParameter(f"can't write {printable(str(target))}: {error.strerror or error}") from None
    size = decimal(file.size_bytes)
    output.record({"path": str(target), "file": file}, f"{printable(os.fspath(target))} ({size})")


@app.command("list")
def list_(
    context: typer.Context,
    conversation: Name,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, help="How many at most.")] = 50,
) -> None:
    """List the files of a conversation, newest first."""

    async def body(client: AsyncClient, output: Output) -> None:
        conversation_id = await find_conversation(client, conversation)
        names, left = NameBook(client), limit
        async for file in client.files(conversation_id, min(limit, 100)):
            output.record(file, Text() if output.as_json else await _line(names, file))
            left -= 1
            if not left:
                break

    run(context, body)


@app.command()
def link(context: typer.Context, file_id: FileId) -> None:
    """Print a URL from which anyone may download the file for an hour."""

    async def body(client: AsyncClient, output: Output) -> None:
        found = await client.get_download_url(file_id)
        output.record(found, Text(printable(found.url)))

    run(context, body)


@app.command()
def delete(context: typer.Context, file_id: FileId) -> None:
    """Delete a file for everybody. Messages that carried it stay."""

    async def body(client: AsyncClient, output: Output) -> None:
        await client.delete_file(file_id)
        output.record({"file_id": file_id, "state": "DELETED"}, f"DELETED {printable(file_id)}")

    run(context, body)


async def _line(names: NameBook, file: File) -> Text:
    return Text.assemble(
        (f"{file.create_time.astimezone():%Y-%m-%d %H:%M}", "dim"),
        f"  {file.file_id}  {decimal(file.size_bytes):>9}  ",
        (printable(file.filename), "bold"),
        (f"  {await names.person(file.owner)}", "dim"),
    )
