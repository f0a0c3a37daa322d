"""How answers are written: for people, or one JSON object a line."""

import dataclasses
import json
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from rich.console import Console, RenderableType

__all__ = ["Output", "to_json"]

_UNLIMITED = 10_000  # columns where there is no terminal, so that nothing is cut or broken


class Output:
    """Writes records to standard output, and remarks for people to standard error."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._out = _console(sys.stdout)
        self.remarks = _console(sys.stderr)
        """Where everything goes that is no answer."""

    def record(self, record: Any, text: RenderableType) -> None:
        """One answer: a value of the SDK (or a dict of them), and the same for people."""
        if self.as_json:
            self._line(sys.stdout, to_json(record))
        else:
            self._out.print(text)
            sys.stdout.flush()

    def remark(self, text: RenderableType) -> None:
        """Something that is not part of the answer; left out of JSON."""
        if not self.as_json:
            self.remarks.print(text)

    def error(self, record: dict[str, Any], text: RenderableType) -> None:
        """Why there is no answer."""
        if self.as_json:
            self._line(sys.stderr, {"error": to_json(record)})
        else:
            self.remarks.print(text)

    def _line(self, stream: TextIO, value: Any) -> None:
        # Pure ASCII: neither the terminal nor the encoding of a pipe can spoil it.
        stream.write(json.dumps(value) + "\n")
        stream.flush()


def to_json(value: Any) -> Any:
    """Values of the SDK as JSON has them: snake_case fields, times in RFC 3339, states by name."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(item) for item in value]
    return value


def _console(stream: TextIO) -> Console:
    # Neither markup nor emoji codes: what people write is shown as it is.
    return Console(
        file=stream,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
        width=None if stream.isatty() else _UNLIMITED,
    )
