"""What the simulators simulate. The defaults are development values that everybody may know."""

import dataclasses
import enum
import json
import tomllib
import types
import typing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from .instagram.settings import InstagramSettings
from .telegram.settings import TelegramSettings
from .webhooks.policy import WebhookPolicy
from .whatsapp.settings import WhatsAppSettings

T = TypeVar("T")


class SettingsError(Exception):
    """A settings file can't be used."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is remembered."""

    accepted_messages: int = 100_000
    conversations: int = 20_000
    """For each account."""
    entries_per_conversation: int = 200
    webhook_requests: int = 1_000
    media_bytes: int = 512 << 20


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything."""

    whatsapp: WhatsAppSettings = field(default_factory=WhatsAppSettings)
    instagram: InstagramSettings = field(default_factory=InstagramSettings)
    telegram: TelegramSettings = field(default_factory=TelegramSettings)
    webhooks: WebhookPolicy = field(default_factory=WebhookPolicy)
    bounds: Bounds = field(default_factory=Bounds)


def load_settings(path: Path) -> Settings:
    """Read a .toml or .json file; what it doesn't name keeps its default.

    Raises:
        SettingsError: it can't be read, or names what is not there.
    """
    try:
        content = path.read_text()
        table = json.loads(content) if path.suffix == ".json" else tomllib.loads(content)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: {error}") from None
    return from_table(Settings, table, str(path))


def from_table(kind: type[T], table: Any, where: str) -> T:
    """A dataclass from what a file says, its dataclasses within it.

    Raises:
        SettingsError: an unknown name, or a value that doesn't fit.
    """
    if not isinstance(table, dict):
        raise SettingsError(f"{where}: expected a table")
    hints = typing.get_type_hints(kind)
    unknown = sorted(set(table) - {each.name for each in dataclasses.fields(kind)})  # type: ignore[arg-type]  # always one
    if unknown:
        raise SettingsError(f"{where}: there is no {', '.join(unknown)}")
    try:
        return kind(**{name: _value(hints[name], value, f"{where}: {name}") for name, value in table.items()})
    except (TypeError, ValueError) as error:
        raise SettingsError(f"{where}: {error}") from None


def _value(hint: Any, value: Any, where: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return from_table(typing.cast("type[Any]", hint), value, where)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(value)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        if not isinstance(value, list):
            raise SettingsError(f"{where}: expected a list")
        return tuple(_value(arguments[0], each, f"{where}[{index}]") for index, each in enumerate(value))
    allowed = arguments if origin in (types.UnionType, typing.Union) else (hint,)
    if float in allowed and type(value) is int:
        return float(value)
    if type(value) not in allowed:
        raise SettingsError(f"{where}: {value!r} doesn't fit")
    return value
