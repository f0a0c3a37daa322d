"""How far a transfer has come, shown while it runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from chat4all_sdk.cli.output import Output
from chat4all_sdk.cli.terminal_text import printable
from chat4all_sdk.file_models import OnProgress, TransferProgress

__all__ = ["transfer_bar"]


@contextmanager
def transfer_bar(output: Output, name: str) -> Iterator[OnProgress | None]:
    """What to call with each progress. Nothing is shown, and None given, without a terminal or with --json."""
    if output.as_json or not output.remarks.is_terminal:
        yield None
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    )
    with Progress(*columns, console=output.remarks, transient=True) as bar:
        task = bar.add_task(printable(name)[:40], total=None)

        def show(progress: TransferProgress) -> None:
            bar.update(task, completed=progress.done, total=progress.total)

        yield show
