"""Text from other people, made safe to show on a terminal."""

import re

__all__ = ["printable"]

# Control characters (which can move the cursor, recolour or retitle the terminal), the marks that change
# the direction of the text after them, and line separators. Letters of right-to-left scripts and the
# joiners inside emoji are not among them.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufff9-\ufffb\ud800-\udfff]")


def printable(text: str, *, indent: str | None = None) -> str:
    r"""The text with unsafe characters written as escapes, such as \x1b.

    Line breaks are escaped as well, or, with `indent`, kept and followed by it, so that a text can't
    pass for more than one entry.
    """
    safe = _UNSAFE.sub(lambda match: _escape(match.group()), text.replace("\r\n", "\n"))
    return safe.replace("\n", "\\n" if indent is None else f"\n{indent}")


def _escape(character: str) -> str:
    number = ord(character)
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
