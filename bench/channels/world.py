"""A platform, the channels that it talks to, and somebody on it who writes to people on them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from platform_metrics import PlatformMetrics
from platform_process import free_port
from tools.simulators import Settings, Simulators
from tools.simulators.instagram.settings import InstagramAccountSettings, InstagramSettings
from tools.simulators.platform_accounts import platform_accounts
from tools.simulators.telegram.settings import TelegramBotSettings, TelegramSettings
from tools.simulators.webhooks.policy import WebhookPolicy
from tools.simulators.whatsapp.settings import WhatsAppAccountSettings, WhatsAppSettings

from bench.platforms import Target, serving
from chat4all_sdk import AsyncClient

INBOX = "ann"
_PASSWORD = "correct horse"


@dataclass(frozen=True, slots=True)
class World:
    """All of it."""

    target: Target
    simulators: Simulators
    settings: Settings
    """Of the simulators."""
    client: AsyncClient
    """Logged in as the one who gets what strangers write."""
    session: aiohttp.ClientSession
    metrics: PlatformMetrics


@dataclass(frozen=True, slots=True)
class Place:
    """A platform that serves, and where its channels are to be."""

    target: Target
    port: int
    settings: Settings


def settings_for(rate: float) -> Settings:
    """The channels' real limits, but for WhatsApp's rate; everybody may be written to."""
    return Settings(
        whatsapp=WhatsAppSettings(
            accounts=(WhatsAppAccountSettings(open_to_strangers=True),),
            messages_per_second=rate,
            burst=rate,
            delivered_seconds=0.05,
        ),
        instagram=InstagramSettings(accounts=(InstagramAccountSettings(open_to_strangers=True),)),
        telegram=TelegramSettings(bots=(TelegramBotSettings(open_to_strangers=True),)),
        webhooks=WebhookPolicy(batch_size=20),
    )


@contextmanager
def serving_channels(platform: str, engines: Path, settings: Settings) -> Iterator[Place]:
    """A platform that has an account on each channel."""
    port = free_port()
    with TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
        accounts = Path(folder) / "accounts.toml"
        accounts.write_text(platform_accounts(settings, f"http://127.0.0.1:{port}", (INBOX,)), "utf-8")
        environ = {
            "CHAT4ALL_CHANNELS_ACCOUNTS_FILE": str(accounts),
            "CHAT4ALL_SERVER_WEB_PORT": str(free_port()),
        }
        with serving(platform, engines, environ) as target:
            yield Place(target, port, settings)


@asynccontextmanager
async def open_world(place: Place) -> AsyncIterator[World]:
    """The channels are there within the context."""
    url = f"http://127.0.0.1:{place.target.envoy_port}"
    async with (
        Simulators(place.settings, port=place.port, webhook_base=url) as simulators,
        AsyncClient(f"127.0.0.1:{place.target.envoy_port}", timeout=300) as client,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session,
    ):
        await client.register(INBOX, _PASSWORD)
        await client.login(INBOX, _PASSWORD)
        metrics = PlatformMetrics(place.target.pid, session)
        yield World(place.target, simulators, place.settings, client, session, metrics)
