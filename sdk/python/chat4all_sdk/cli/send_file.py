"""An upload as the commands make it: with a bar, and gone on with by a later run."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import typer

from chat4all_sdk.cli.output import Output
from chat4all_sdk.cli.settings import Settings
from chat4all_sdk.cli.terminal_text import printable
from chat4all_sdk.cli.transfer_bar import transfer_bar
from chat4all_sdk.cli.upload_record import UploadRecord
from chat4all_sdk.client import AsyncClient
from chat4all_sdk.errors import ChatError
from chat4all_sdk.file_models import File

__all__ = ["cancel_upload_of", "sent_file"]

_OVER = frozenset({"UPLOAD_NOT_FOUND", "UPLOAD_CLOSED", "UPLOAD_IS_DIRECT", "NOT_FILE_OWNER"})


@asynccontextmanager
async def sent_file(
    client: AsyncClient,
    settings: Settings,
    output: Output,
    conversation_id: str,
    path: str,
    *,
    name: str | None = None,
    mime_type: str | None = None,
    direct: bool | None = None,
) -> AsyncIterator[File]:
    """The file, AVAILABLE. A run that ends before the context does is gone on with by the next one.

    `path` is - for standard input, which needs a name and can't be gone on with.
    """
    if path == "-":
        if not name:
            raise typer.BadParameter("standard input needs a --name")
        with transfer_bar(output, name) as show:
            source = sys.stdin.buffer
            yield await client.upload(conversation_id, source, name, mime_type, direct=direct, on_progress=show)
        return
    try:
        record = UploadRecord(settings, conversation_id, Path(path))
        with transfer_bar(output, name or Path(path).name) as show:
            while True:
                try:
                    file = await client.upload(
                        conversation_id,
                        path,
                        name,
                        mime_type,
                        upload_id=(upload_id := record.load()),
                        direct=direct,
                        on_upload=lambda upload: record.save(upload.upload_id),
                        on_progress=show,
                    )
                    break
                except ChatError as error:
                    if upload_id is None or error.reason not in _OVER:
                        raise
                    record.forget()  # it expired, was cancelled, or is of another login: begin anew
    except asyncio.CancelledError:
        output.remark("Interrupted; the same command goes on from here, and `chat4all files cancel` gives it up.")
        raise
    except OSError as error:
        raise typer.BadParameter(f"can't read {printable(path)}: {error.strerror or error}") from None
    yield file
    record.forget()


async def cancel_upload_of(client: AsyncClient, settings: Settings, conversation_id: str, path: str) -> str:
    """Gives up the upload of a file that an earlier run began; its id."""
    try:
        record = UploadRecord(settings, conversation_id, Path(path))
    except OSError as error:
        raise typer.BadParameter(f"can't read {printable(path)}: {error.strerror or error}") from None
    upload_id = record.load()
    if upload_id is None:
        raise typer.BadParameter(f"no upload of {printable(path)}, as it is now, was interrupted here")
    try:
        await client.cancel_upload(upload_id)
    except ChatError as error:
        if error.reason not in _OVER:
            raise
    record.forget()
    return upload_id
