"""The whole platform with simulated channels, for tests that play the customers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from platform_process import MakePlatform, PlatformProcess, free_port
from rest_user import RestUser
from tools.simulators import Channel, CustomerMessage, Settings, Simulators
from tools.simulators.platform_accounts import platform_accounts

DEADLINE = 60.0

ACCOUNTS = {
    Channel.WHATSAPP: "100000000000001",
    Channel.INSTAGRAM: "17841400000000001",
    Channel.TELEGRAM: "100000001",
}


@dataclass(slots=True)
class ChannelsPlatform:
    """A platform and the simulators that it talks to."""

    process: PlatformProcess
    simulators: Simulators
    session: aiohttp.ClientSession
    """Of the public port."""
    inbox: RestUser = field(init=False)
    """Who gets what strangers write."""

    async def customer_writes(self, channel: Channel, customer: str, message: CustomerMessage) -> str:
        """A customer writes to the development account; the message's id there."""
        return await self.simulators.customers(channel).send(ACCOUNTS[channel], customer, message)

    async def told(self, channel: Channel, customer: str, count: int) -> list[Any]:
        """What a customer got, once it is so much."""
        async with asyncio.timeout(DEADLINE):
            while len(accepted := self.simulators.accepted.read(channel=channel, recipient=customer)) < count:
                await asyncio.sleep(0.02)
        return list(accepted)


@asynccontextmanager
async def open_channels_platform(
    make_platform: MakePlatform, folder: Path, settings: Settings | None = None, username: str = "ann"
) -> AsyncIterator[ChannelsPlatform]:
    """Serve within the context. Of the simulators' settings, what is not given is the development value."""
    settings = settings or Settings()
    accounts = folder / "accounts.toml"
    environ = {
        "CHAT4ALL_CHANNELS_ACCOUNTS_FILE": str(accounts),
        "CHAT4ALL_SERVER_WEB_PORT": str(free_port()),
    }
    process = make_platform(folder / "data", environ)
    async with Simulators(settings, webhook_base=process.url) as simulators:
        accounts.write_text(platform_accounts(settings, simulators.url, (username,)), "utf-8")
        await asyncio.to_thread(process.start)
        try:
            async with aiohttp.ClientSession(process.url) as session:
                platform = ChannelsPlatform(process, simulators, session)
                await _called(simulators)
                platform.inbox = await RestUser.join(session, username)
                yield platform
        finally:
            await asyncio.to_thread(process.stop)


async def _called(simulators: Simulators) -> None:
    """Wait until the channels have found the platform: what they would tell before is lost."""
    async with asyncio.timeout(DEADLINE):
        while not all(a["webhook_url"] for channel in Channel for a in simulators.service(channel).accounts()):
            await asyncio.sleep(0.02)


async def until(get: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool]) -> Any:
    """What `get` gives, once it is as wanted."""
    async with asyncio.timeout(DEADLINE):
        while True:
            found = await get()
            if holds(found):
                return found
            await asyncio.sleep(0.05)
