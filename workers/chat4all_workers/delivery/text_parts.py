"""Cutting a text into messages that a channel takes."""

import re

from chat4all_core.domain.channel import Capabilities

_PLACES = (re.compile(r"\n\s*\n"), re.compile(r"\n"), re.compile(r"[.!?…。！？]\s+"), re.compile(r"\s+"))
"""Where to cut, best first: after a paragraph, a line, a sentence, a word."""

_JOINERS = re.compile("[\u0300-\u036f\u200d\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]")
"""What belongs to the character before it: accents, joiners, skin tones."""


def split_text(text: str, capabilities: Capabilities) -> list[str]:
    """The parts, each within `max_text` and none empty; joined they give the text but for white space at the cuts.
    The same text always gives the same parts."""
    parts = []
    rest = text.strip()
    while rest:
        longest = _fitting(rest, capabilities)
        if longest < len(rest):
            longest = _cut(rest, longest)
        parts.append(rest[:longest].rstrip())
        rest = rest[longest:].lstrip()
    return parts


def fits(text: str, capabilities: Capabilities) -> bool:
    """Whether a channel takes it as one message."""
    return _fitting(text, capabilities) == len(text)


def _fitting(text: str, capabilities: Capabilities) -> int:
    """How many characters from the start fit."""
    if capabilities.text_unit == "characters":
        return min(len(text), capabilities.max_text)
    return len(text.encode()[: capabilities.max_text].decode(errors="ignore"))


def _cut(text: str, longest: int) -> int:
    # Not in the first half, so that a text never takes more than twice as many messages as it must.
    for place in _PLACES:
        ends = [match.end() for match in place.finditer(text, longest // 2, longest + 1) if match.start() <= longest]
        if ends:
            return min(ends[-1], longest)
    cut = longest
    while cut > longest // 2 and _belongs_together(text, cut):
        cut -= 1
    return cut


def _belongs_together(text: str, cut: int) -> bool:
    return _JOINERS.match(text, cut) is not None or text[cut - 1] == "\u200d"
