"""Simulators on a free port, a client and a webhook for them."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from channel_clients import BotClient, GraphClient
from tools.simulators import Settings, Simulators
from tools.simulators.webhooks.policy import WebhookPolicy
from tools.simulators.whatsapp.settings import WhatsAppSettings
from webhook_receiver import WebhookReceiver


@pytest.fixture
def settings() -> Settings:
    """Short waits."""
    return Settings(
        whatsapp=WhatsAppSettings(delivered_seconds=0.001),
        webhooks=WebhookPolicy(
            retry_initial_seconds=0.01, retry_max_seconds=0.05, reorder_seconds=60, timeout_seconds=60
        ),
    )


@pytest.fixture
async def simulators(settings: Settings) -> AsyncIterator[Simulators]:
    async with Simulators(settings) as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as client:
        yield client


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    async with WebhookReceiver() as running:
        yield running


@pytest.fixture
def whatsapp(simulators: Simulators, session: aiohttp.ClientSession) -> GraphClient:
    """The default number, with its token."""
    return GraphClient(session, f"{simulators.url}/whatsapp/v23.0", "whatsapp-development-token")


@pytest.fixture
def instagram(simulators: Simulators, session: aiohttp.ClientSession) -> GraphClient:
    """The default account, with its token."""
    return GraphClient(session, f"{simulators.url}/instagram/v25.0", "instagram-development-token")


@pytest.fixture
def telegram(simulators: Simulators, session: aiohttp.ClientSession) -> BotClient:
    """The default bot."""
    return BotClient(session, f"{simulators.url}/telegram")
