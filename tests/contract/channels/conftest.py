"""Every channel, against its simulator."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from channel_under_test import CHANNELS, ChannelUnderTest
from tools.simulators import Settings, Simulators
from tools.simulators.webhooks.policy import WebhookPolicy
from webhook_receiver import WebhookReceiver

from chat4all_channels.channel import ChannelAccount
from chat4all_channels.registry import REGISTRY


@pytest.fixture(params=sorted(CHANNELS))
def tested(request: pytest.FixtureRequest) -> ChannelUnderTest:
    """The channel at hand."""
    return CHANNELS[request.param]


@pytest_asyncio.fixture
async def simulators() -> AsyncIterator[Simulators]:
    """Of all channels."""
    async with Simulators(Settings(webhooks=WebhookPolicy(retry_initial_seconds=0.01))) as running:
        yield running


@pytest_asyncio.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """For the account's calls."""
    async with aiohttp.ClientSession() as opened:
        yield opened


@pytest_asyncio.fixture
async def account(tested: ChannelUnderTest, simulators: Simulators, session: aiohttp.ClientSession) -> ChannelAccount:
    """The development account."""
    return REGISTRY[tested.name].account(tested.config(simulators.url), session)


@pytest_asyncio.fixture
async def webhook(tested: ChannelUnderTest, simulators: Simulators) -> AsyncIterator[WebhookReceiver]:
    """Whom the simulated channel calls."""
    async with WebhookReceiver() as receiver:
        await simulators.service(tested.simulated).register_webhook(tested.account, receiver.url, None)
        yield receiver
