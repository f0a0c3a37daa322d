"""Our accounts on channels, ready to be used."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from chat4all_channels.account_config import AccountConfig
from chat4all_channels.accounts_file import load_accounts
from chat4all_channels.channel import ChannelAccount
from chat4all_channels.registry import REGISTRY
from chat4all_core.domain.channel import Capabilities, ChannelName


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """An account with its configuration."""

    account: ChannelAccount
    config: AccountConfig


ChannelAccounts = Mapping[ChannelName, Sequence[OpenAccount]]
"""By channel, the first one first: it writes to people who have not written to any. Channels without an account are
left out."""

NO_CHANNELS: ChannelAccounts = {}


@asynccontextmanager
async def open_accounts(accounts_file: Path | None) -> AsyncIterator[ChannelAccounts]:
    """The accounts of a file, none without one, for the running event loop. Nothing is told to any channel yet.

    Raises:
        AccountsFileError: the file holds mistakes.
    """
    if accounts_file is None:
        yield NO_CHANNELS
        return
    configs = load_accounts(accounts_file)
    # A connection for each call under way: limits and order are kept above.
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        yield {
            name: [OpenAccount(REGISTRY[name].account(config, session), config) for config in of_channel]
            for name, of_channel in configs.items()
        }


def capabilities_of(accounts: ChannelAccounts) -> Sequence[Capabilities]:
    """Of the channels that have an account."""
    return [REGISTRY[name].channel.capabilities for name in accounts]
