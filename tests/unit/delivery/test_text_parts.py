"""Texts in parts."""

from hypothesis import given
from hypothesis import strategies as st
from scripted_channel import capabilities

from chat4all_core.domain.channel import Capabilities
from chat4all_workers.delivery.text_parts import fits, split_text

CHARACTERS = capabilities(max_text=20)
BYTES = capabilities(max_text=20, text_unit="bytes")


def test_cuts_are_where_a_reader_pauses() -> None:
    """After a paragraph rather than a line, a sentence rather than a word, a word rather than in it."""
    assert split_text("first part\n\nsecond part of it", CHARACTERS) == ["first part", "second part of it"]
    assert split_text("one two three. four five", CHARACTERS) == ["one two three.", "four five"]
    assert split_text("one two three four five", CHARACTERS) == ["one two three four", "five"]
    assert split_text("x" * 45, CHARACTERS) == ["x" * 20, "x" * 20, "x" * 5]


def test_what_belongs_to_one_character_stays_together() -> None:
    """Neither a joined emoji nor a letter and its accent are torn apart."""
    family = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
    assert split_text("x" * 17 + family, CHARACTERS) == ["x" * 17, family]
    assert split_text("x" * 19 + "e\u0301" + "y", CHARACTERS) == ["x" * 19, "e\u0301y"]


def test_a_text_that_fits_is_one_part() -> None:
    """It goes as it is, counted in the channel's unit."""
    assert split_text("ééééééééééé", CHARACTERS) == ["ééééééééééé"]
    assert split_text("ééééééééééé", BYTES) == ["éééééééééé", "é"]
    assert split_text(" \n ", CHARACTERS) == []


@given(st.text(max_size=200), st.sampled_from([CHARACTERS, BYTES]))
def test_nothing_is_lost_but_white_space(text: str, channel: Capabilities) -> None:
    """Every part fits, none is empty, and together they are the text but for white space at the cuts."""
    parts = split_text(text, channel)
    assert all(part and fits(part, channel) for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert split_text(text, channel) == parts
