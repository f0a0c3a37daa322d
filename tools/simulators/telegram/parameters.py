"""What a call says: in the query, in a form with or without files, or in JSON."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from .errors import bad_request

_NUMBER = re.compile(r"-?[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file in a form."""

    content: bytes
    filename: str
    mime_type: str


@dataclass(frozen=True, slots=True)
class Parameters:
    """The values by name; in forms and queries even objects are texts."""

    values: Mapping[str, Any]
    files: Mapping[str, SentFile] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A text; empty when it isn't there."""
        value = self.values.get(name)
        if value is None:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    def number(self, name: str) -> int | None:
        """An integer, if it is there.

        Raises:
            TelegramError: it is none.
        """
        text = self.text(name)
        if not text:
            return None
        if not _NUMBER.fullmatch(text):
            raise bad_request(f'invalid {name} specified: "{text[:50]}"')
        return int(text)

    def chat_id(self) -> int | None:
        """The chat's number; None where it is named otherwise, as channels are.

        Raises:
            TelegramError: no chat is named.
        """
        text = self.text("chat_id")
        if not text:
            raise bad_request("chat_id is empty")
        return int(text) if _NUMBER.fullmatch(text) else None

    def required_number(self, name: str) -> int:
        """An integer.

        Raises:
            TelegramError: it isn't there, or none.
        """
        number = self.number(name)
        if number is None:
            raise bad_request(f"{name} is not specified")
        return number

    def flag(self, name: str) -> bool:
        """A truth value."""
        return self.text(name).lower() in ("true", "1", "yes")

    def object(self, name: str) -> Any:
        """A list or an object, if it is there.

        Raises:
            TelegramError: it isn't JSON.
        """
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except (ValueError, RecursionError):
            raise bad_request(f"can't parse {name} JSON object") from None


async def parameters_of(request: web.Request) -> Parameters:
    """Read a request.

    Raises:
        TelegramError: 400, it says it is JSON and is not.
    """
    values: dict[str, Any] = dict(request.query)
    files: dict[str, SentFile] = {}
    if request.content_type == "application/json":
        values |= _json_object(await request.read())
    elif request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data"):
        for name, value in (await request.post()).items():
            if isinstance(value, web.FileField):
                files[name] = SentFile(value.file.read(), value.filename, value.content_type)
            elif isinstance(value, bytes | bytearray):
                files[name] = SentFile(bytes(value), name, "application/octet-stream")
            else:
                values[name] = value
    return Parameters(values, files)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body) if body else {}
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise bad_request("can't parse the request's JSON object")
    return value
