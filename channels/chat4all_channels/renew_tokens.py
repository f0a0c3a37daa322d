"""Tokens that end are renewed in the file of accounts, which is where they are kept."""

import os
import stat
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from chat4all_channels.accounts import open_accounts
from chat4all_channels.accounts_file import load_accounts
from chat4all_channels.channel import RenewsToken, TokenError
from chat4all_core.domain.channel import AccountId, ChannelName


@dataclass(frozen=True, slots=True)
class Renewal:
    """What became of one account's token."""

    channel: ChannelName
    account: AccountId
    ends_at: datetime | None
    """None: it is not renewed."""
    reason: str = ""
    """Why not."""


async def renew_tokens(accounts_file: Path) -> AsyncIterator[Renewal]:
    """Renew the token of every account whose channel does so. The file holds each new one before the next is asked
    for; all else in it, comments too, stays as it is.

    Raises:
        AccountsFileError: the file holds mistakes.
    """
    async with open_accounts(accounts_file) as accounts:
        for channel, of_channel in accounts.items():
            for opened in of_channel:
                account = opened.account
                if not isinstance(account, RenewsToken):
                    continue
                try:
                    renewed = await account.renew_token()
                    _replace(accounts_file, renewed.replaces.value, renewed.token.value)
                except (TokenError, OSError) as error:
                    yield Renewal(channel, account.account_id, None, str(error))
                else:
                    ends_at = datetime.now(UTC) + timedelta(seconds=renewed.seconds)
                    yield Renewal(channel, account.account_id, ends_at)


def _replace(accounts_file: Path, old: str, new: str) -> None:
    """At once or not at all, whatever is killed."""
    accounts_file = accounts_file.resolve()  # where it is a link, what it leads to is replaced
    text = accounts_file.read_text("utf-8")
    changed = text.replace(f'"{old}"', f'"{new}"')
    if changed == text and old != new:
        raise TokenError("the token is not in the file as a text in double quotes")
    descriptor, name = tempfile.mkstemp(dir=accounts_file.parent, prefix=accounts_file.name)
    beside = Path(name)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(changed)
            file.flush()
            os.fsync(file.fileno())
        load_accounts(beside)
        beside.chmod(stat.S_IMODE(accounts_file.stat().st_mode))
        beside.replace(accounts_file)
    finally:
        beside.unlink(missing_ok=True)
