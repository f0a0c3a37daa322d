"""A platform in memory behind a real server, and clients of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from command_line import CommandLine

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


@pytest.fixture
def chat4all(tmp_path: Path, platform: MemoryPlatform) -> CommandLine:
    """The command line, not logged in."""
    return CommandLine(tmp_path, platform.target)


@pytest.fixture
async def as_alice(chat4all: CommandLine, alice: AsyncClient) -> CommandLine:
    """The command line, logged in as alice."""
    result = await chat4all("login", "alice", password=PASSWORD)
    assert result.code == 0, result.err
    return chat4all
