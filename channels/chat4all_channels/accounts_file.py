"""The file with our accounts on channels: TOML, a table for each account, such as `[[whatsapp]]`."""

import dataclasses
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from chat4all_channels.account_config import AccountConfig
from chat4all_channels.registry import REGISTRY
from chat4all_core.domain.channel import ChannelName
from chat4all_core.setting import Secret

Accounts = Mapping[ChannelName, Sequence[AccountConfig]]
"""By channel, in the order of the file: the first one writes to people who have not written to any. Channels without
an account are left out."""


class AccountsFileError(Exception):
    """The file holds mistakes: its text has a line for each."""


def load_accounts(path: Path) -> Accounts:
    """Read the file.

    Raises:
        AccountsFileError: it can't be read, or something in it is wrong. Values are never shown, for they are secret.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise AccountsFileError(f"{path}: {error}") from error
    mistakes: list[str] = []
    accounts: dict[ChannelName, Sequence[AccountConfig]] = {}
    for name, entries in tables.items():
        registration = REGISTRY.get(ChannelName(name))
        if registration is None or not isinstance(entries, list):
            mistakes.append(f"[[{name}]] is no channel: there are {', '.join(f'[[{known}]]' for known in REGISTRY)}")
            continue
        read = [
            _account(f"[[{name}]] number {n}", registration.config, entry, mistakes)
            for n, entry in enumerate(entries, 1)
        ]
        accounts[ChannelName(name)] = [account for account in read if account is not None]
    if mistakes:
        raise AccountsFileError("\n".join(f"{path}: {mistake}" for mistake in mistakes))
    return {name: found for name, found in accounts.items() if found}


def _account(
    where: str, config: type[AccountConfig], entry: Mapping[str, Any], mistakes: list[str]
) -> AccountConfig | None:
    fields = {field.name: field for field in dataclasses.fields(config)}
    wrong = [
        f"{where}: {name} is no setting of it: there are {', '.join(fields)}" for name in entry if name not in fields
    ]
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name not in entry:
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                wrong.append(f"{where}: {name} is missing")
            continue
        try:
            values[name] = _value(get_type_hints(config)[name], entry[name])
        except TypeError as error:
            wrong.append(f"{where}: {name} must be {error}")
    mistakes += wrong
    return None if wrong else config(**values)


def _value(kind: Any, value: object) -> object:
    if kind is Secret and isinstance(value, str) and value:
        return Secret(value)
    if kind is str and isinstance(value, str):
        return value
    if kind is bool and isinstance(value, bool):
        return value
    if kind is float and isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    if kind == tuple[str, ...] and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise TypeError(_ALLOWED.get(kind, "a text"))


_ALLOWED: Mapping[Any, str] = {
    Secret: "a text that is not empty",
    bool: "true or false",
    float: "a number above 0",
    tuple[str, ...]: "a list of texts",
}
