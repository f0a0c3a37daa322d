"""What a setting is: a field of a section, named `CHAT4ALL_<SECTION>_<FIELD>` in the environment.

A *section* is a frozen dataclass whose fields are made by `setting`; its docstring says what it is about.
"""

import dataclasses
import difflib
import ipaddress
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

__all__ = [
    "FLAG",
    "IP_ADDRESS",
    "NAMES",
    "PATH",
    "SECRET",
    "TEXT",
    "Description",
    "Kind",
    "Secret",
    "SettingsError",
    "choice",
    "describe_section",
    "number",
    "read_sections",
    "setting",
    "show_section",
    "whole_number",
]

PREFIX = "CHAT4ALL_"

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """Which texts a setting may have, and what they stand for."""

    allowed: str
    """Completes the sentence "it must be …"."""
    parse: Callable[[str], T]
    """Raises ValueError for any other text."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A text that is never printed or logged by accident."""

    value: str = dataclasses.field(default="", repr=False)

    def __bool__(self) -> bool:
        return bool(self.value)

    def __str__(self) -> str:
        return repr(self)


@dataclass(frozen=True, slots=True)
class Description:
    """What people need to know of a setting."""

    name: str
    default: str
    allowed: str
    meaning: str


OTHERS_VARIABLES = frozenset(
    {
        "CHAT4ALL_SERVER",
        "CHAT4ALL_PROFILE",
        "CHAT4ALL_PASSWORD",
        "CHAT4ALL_ENGINES_DIR",
        "CHAT4ALL_TEST_ENGINES",
    }
)
"""What the command line, the engines' command and the tests read: started from the same shell, we pass over them."""


class SettingsError(Exception):
    """The environment holds mistakes: its text has a line for each."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        super().__init__("\n".join(mistakes))
        self.mistakes = tuple(mistakes)


def setting(default: T, kind: "Kind[T] | Kind[Any]", meaning: str, default_text: str = "") -> T:
    """A field of a section. `default_text` is for documentation, where the default's own text does not tell."""
    about = {"kind": kind, "meaning": meaning, "default": default_text or f"`{default}`"}
    field: T = dataclasses.field(default=default, metadata=about)
    return field


def read_sections(sections: Mapping[str, type[Any]], environ: Mapping[str, str]) -> Mapping[str, Any]:
    """An instance of each section, by the names of the sections. A variable that is empty counts as not set.

    Raises:
        SettingsError: of every variable with the prefix that has a wrong value or that no section has.
    """
    settings = {name: (section, field) for section, cls in sections.items() for name, field in _named(section, cls)}
    values: dict[str, dict[str, Any]] = {section: {} for section in sections}
    mistakes = []
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or name in OTHERS_VARIABLES:
            continue
        if name not in settings:
            mistakes.append(_unknown(name, list(settings)))
        elif text:
            section, field = settings[name]
            kind = field.metadata["kind"]
            try:
                values[section][field.name] = kind.parse(text)
            except ValueError:
                mistakes.append(f"{name} must be {kind.allowed}, is {text!r}")
    if mistakes:
        raise SettingsError(mistakes)
    return {section: cls(**values[section]) for section, cls in sections.items()}


def describe_section(section: str, cls: type[Any]) -> Sequence[Description]:
    """Every setting of a section."""
    return [
        Description(name, about["default"], about["kind"].allowed, about["meaning"])
        for name, about in ((name, field.metadata) for name, field in _named(section, cls))
    ]


def show_section(section: str, values: object) -> Sequence[tuple[str, str]]:
    """Name and text of every setting of an instance of a section: the text that would set it, but for secrets."""
    return [(name, _show(getattr(values, field.name))) for name, field in _named(section, type(values))]


def _show(value: object) -> str:
    match value:
        case None:
            return ""
        case Secret():
            return "(hidden)" if value else ""
        case bool():
            return "on" if value else "off"
        case tuple():
            return ",".join("=".join(map(str, each)) if isinstance(each, tuple) else str(each) for each in value)
        case _:
            return str(value)


def whole_number(least: int, most: int) -> Kind[int]:
    """A number without a fraction in a range, both ends included."""

    def parse(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise ValueError(text)
        return value

    return Kind(f"a whole number from {least} to {most}", parse)


def number(least: float, most: float) -> Kind[float]:
    """A number in a range, both ends included."""

    def parse(text: str) -> float:
        value = float(text)
        if not least <= value <= most:  # which no comparison with nan is
            raise ValueError(text)
        return value

    return Kind(f"a number from {least:g} to {most:g}", parse)


def choice(*names: str) -> Kind[str]:
    """One of several names."""

    def parse(text: str) -> str:
        if text not in names:
            raise ValueError(text)
        return text

    return Kind(f"one of {', '.join(names)}", parse)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    if not all(names):
        raise ValueError(text)
    return names


def _flag(text: str) -> bool:
    return ("off", "on").index(text) == 1


FLAG: Kind[bool] = Kind("`on` or `off`", _flag)
IP_ADDRESS: Kind[str] = Kind("an IP address", lambda text: str(ipaddress.ip_address(text)))
NAMES: Kind[tuple[str, ...]] = Kind("one or several names, divided by commas", _names)
PATH: Kind[Path] = Kind("a path", Path)
SECRET: Kind[Secret] = Kind("any text", Secret)
TEXT: Kind[str] = Kind("any text", str)


def _named(section: str, cls: type[Any]) -> Iterator[tuple[str, dataclasses.Field[Any]]]:
    for field in dataclasses.fields(cls):
        yield f"{PREFIX}{section}_{field.name}".upper(), field


def _unknown(name: str, known: Sequence[str]) -> str:
    # Without the prefix, which would make any two names alike.
    near = difflib.get_close_matches(name.removeprefix(PREFIX), [other.removeprefix(PREFIX) for other in known], n=1)
    return f"{name} is no setting" + (f"; did you mean {PREFIX}{near[0]}?" if near else "")
