"""One channel is down while the platform writes to people on all of them. `make bench ARGS=channels` says what that
does to the others' speed."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from channel_customers import Customer, broken_promises, meet
from channels_platform import ChannelsPlatform, open_channels_platform
from platform_metrics import PlatformMetrics
from platform_process import MakePlatform
from tools.simulators import Channel, Fault, FaultKind, Settings
from tools.simulators.instagram.settings import InstagramAccountSettings, InstagramSettings
from tools.simulators.telegram.settings import TelegramBotSettings, TelegramSettings
from tools.simulators.whatsapp.settings import WhatsAppAccountSettings, WhatsAppSettings

from chat4all_sdk import AsyncClient

DOWN = Channel.WHATSAPP
PEOPLE, EACH = 8, 4
_DEADLINE = 180.0
"""Seconds; a person may wait for one minute after the outage, and the account for another."""

SETTINGS = Settings(
    whatsapp=WhatsAppSettings(accounts=(WhatsAppAccountSettings(open_to_strangers=True),)),
    instagram=InstagramSettings(accounts=(InstagramAccountSettings(open_to_strangers=True),)),
    telegram=TelegramSettings(bots=(TelegramBotSettings(open_to_strangers=True),)),
)


async def test_a_channel_that_is_down_holds_no_other_up(make_platform: MakePlatform, tmp_path: Path) -> None:
    """While WhatsApp answers every call with an error, people on other channels hear everything, and its account is
    paused; afterwards its people hear everything once and in order, and the account is open."""
    async with open_channels_platform(make_platform, tmp_path, SETTINGS) as platform:
        simulators, metrics = platform.simulators, PlatformMetrics(platform.process.pid, platform.session)
        outage = simulators.faults.add(Fault(DOWN, FaultKind.SERVER_ERROR))
        async with AsyncClient(platform.process.target) as client, asyncio.timeout(_DEADLINE):
            await client.login("ann", "correct horse")
            people = [each for channel in Channel for each in await meet(client, channel, PEOPLE)]
            await _write(client, people)
            for channel in set(Channel) - {DOWN}:
                await _heard(platform, channel)
            await _has_an_account(metrics, "paused")
            assert simulators.accepted.read(channel=DOWN) == []
            simulators.faults.remove(outage.id)
            await _heard(platform, DOWN)
            await _has_an_account(metrics, "open")
        assert broken_promises(simulators.accepted.read()) == []


async def _write(client: AsyncClient, people: Sequence[Customer]) -> None:
    for number in range(EACH * len(people)):
        await client.send(people[number % len(people)].conversation_id, str(number))


async def _heard(platform: ChannelsPlatform, channel: Channel) -> None:
    while len({each.text for each in platform.simulators.accepted.read(channel=channel)}) < EACH * PEOPLE:
        await asyncio.sleep(0.05)


async def _has_an_account(metrics: PlatformMetrics, state: str) -> None:
    while await metrics.value("chat4all_channel_accounts", channel=DOWN, state=state) != 1:
        await asyncio.sleep(0.05)
