"""Cursors: how clients hold a place in their stream. Opaque to them; the form is the server's own."""

import re

from chat4all_core.domain.errors import InvalidArgumentError, Reason
from chat4all_core.domain.stream_position import StreamPosition

_FORM = re.compile(r"([A-Za-z0-9_-]{1,128})\.(0|[1-9][0-9]{0,17})", re.ASCII)


def encode_cursor(position: StreamPosition) -> str:
    """The cursor of a place. It may stand in a URL and in a header as it is."""
    return f"{position.epoch}.{position.offset}"


def decode_cursor(cursor: str) -> StreamPosition:
    """The place of a cursor.

    Raises:
        InvalidArgumentError: CURSOR_INVALID.
    """
    parts = _FORM.fullmatch(cursor)
    if parts is None:
        raise InvalidArgumentError("the cursor is not one that a subscription gave out", reason=Reason.CURSOR_INVALID)
    return StreamPosition(parts[1], int(parts[2]))
