"""A platform in memory behind a real server, and clients of it."""

from collections.abc import AsyncIterator

import pytest

from chat4all_sdk import AsyncClient

from .memory_platform.server import MemoryPlatform

PASSWORD = "correct horse"


@pytest.fixture
async def platform() -> AsyncIterator[MemoryPlatform]:
    """A platform that serves."""
    platform = MemoryPlatform()
    await platform.start()
    try:
        yield platform
    finally:
        await platform.kill()


async def _client(platform: MemoryPlatform, name: str) -> AsyncClient:
    client = await AsyncClient(platform.target, timeout=10).open()
    await client.register(name, PASSWORD)
    await client.login(name, PASSWORD)
    return client


@pytest.fixture
async def alice(platform: MemoryPlatform) -> AsyncIterator[AsyncClient]:
    """A client that is logged in as alice."""
    client = await _client(platform, "alice")
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
async def bob(platform: MemoryPlatform) -> AsyncIterator[AsyncClient]:
    """A client that is logged in as bob."""
    client = await _client(platform, "bob")
    try:
        yield client
    finally:
        await client.close()


@pytest.fixture
async def direct(alice: AsyncClient, bob: AsyncClient) -> str:
    """The id of the conversation between alice and bob."""
    return (await alice.create_direct(await bob.me())).conversation_id
