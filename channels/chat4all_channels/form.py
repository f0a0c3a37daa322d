"""Reading JSON of which nothing is certain: what is missing or of another type is as if it were empty."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from chat4all_channels.channel import WebhookError

Json = Mapping[str, Any]


def json_object(body: bytes) -> Json:
    """The object that a body is.

    Raises:
        WebhookError: it is none, or not UTF-8, or nested without measure.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WebhookError("not JSON in UTF-8") from error
    if not isinstance(value, dict):
        raise WebhookError("not a JSON object")
    return value


def node(value: Json, *names: str) -> Json:
    """An object within an object."""
    for name in names:
        found = value.get(name)
        value = found if isinstance(found, dict) else {}
    return value


def nodes(value: Json, name: str) -> Sequence[Json]:
    """The objects of a list."""
    found = value.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def text(value: Json, name: str) -> str:
    """A text; a number counts as its digits. Without what no store takes: NUL and halves of surrogate pairs."""
    found = value.get(name)
    if isinstance(found, bool) or not isinstance(found, str | int):
        return ""
    return str(found).replace("\0", "").encode("utf-8", "replace").decode()


def whole(value: Json, name: str) -> int:
    """A whole number, also one that is written as a text; 0 when there is none."""
    found = text(value, name)
    return int(found) if found.lstrip("-").isdecimal() and len(found) < 19 else 0


def encode(value: Json) -> bytes:
    """An object as bytes."""
    return json.dumps(value, separators=(",", ":")).encode()
