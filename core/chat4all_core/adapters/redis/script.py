"""Lua scripts, and calls of them."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

Argument = bytes | str | int | float


@dataclass(frozen=True, slots=True)
class Script:
    """A script that Redis runs as one step."""

    text: str
    sha: str
    """How Redis names it once it has seen it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One run of a script. All keys are of one hash slot where there is a cluster."""

    script: Script
    keys: Sequence[str]
    arguments: Sequence[Argument]


def load_script(name: str, *, shared: str = "", writes: bool = True) -> Script:
    """Read `scripts/<name>.lua`, with the definitions of `scripts/<shared>.lua` before it where given. One that
    writes is refused as a whole by a replica, and by a Redis that is full or can't reach its disk."""
    folder = resources.files(__package__).joinpath("scripts")
    parts = [folder.joinpath(f"{part}.lua").read_text("utf-8") for part in (shared, name) if part]
    text = "\n".join(["#!lua" if writes else "#!lua flags=no-writes", *parts])
    return Script(text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
