"""Cursors."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat4all_core.domain.errors import InvalidArgumentError, Reason
from chat4all_core.domain.stream_position import StreamPosition
from chat4all_server.stream_cursor import decode_cursor, encode_cursor


@given(st.text("0123456789abcdef-_XYZ", min_size=1, max_size=128), st.integers(0, 10**18 - 1))
def test_cursor_gives_its_place_back(epoch: str, offset: int) -> None:
    """A cursor names the place that it was made of."""
    position = StreamPosition(epoch, offset)
    assert decode_cursor(encode_cursor(position)) == position


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "e.",
        ".1",
        "e.-1",
        "e.01",
        "e.1.2",
        "e .1",
        "e.1\n",
        "e.1e3",
        "e.٣",
        f"e.{10**18}",
        f"{'e' * 129}.1",
        "\0.1",
    ],
)
def test_not_a_cursor(cursor: str) -> None:
    """Text that no subscription gave out is refused."""
    with pytest.raises(InvalidArgumentError) as refused:
        decode_cursor(cursor)
    assert refused.value.reason is Reason.CURSOR_INVALID
