"""The adapters of Redis, for tests that share one."""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from chat4all_core.adapters.redis.client import open_client
from chat4all_core.adapters.redis.user_stream import RedisUserStream, UserStreamSettings, open_user_stream
from chat4all_core.config import RedisSection
from chat4all_core.domain.ids import ConversationId, UserId
from chat4all_core.setting import Secret


def section_for(endpoint: Mapping[str, Any]) -> RedisSection:
    """Settings for a Redis, with keys that no other test uses."""
    return RedisSection(
        url=Secret(endpoint["url"]), cluster=endpoint.get("cluster", False), key_prefix=f"test-{uuid.uuid4()}:"
    )


async def no_conversations(user_id: UserId) -> Sequence[ConversationId]:
    """What is found of users whose conversations are stored nowhere else."""
    return []


@asynccontextmanager
async def open_streams(section: RedisSection, settings: UserStreamSettings) -> AsyncIterator[RedisUserStream]:
    """User streams with their own connections."""
    async with open_client(section) as client, open_user_stream(client, settings, no_conversations) as streams:
        yield streams
